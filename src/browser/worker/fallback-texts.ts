/** What is shown of a push message that cannot be read, in the browser's language. */

interface FallbackText {
  readonly title: string;
  readonly body: string;
  readonly dir: "ltr" | "rtl";
}

/** As `fallback` in locales/<language>/general.json has it; a test compares. */
const TEXTS: Readonly<Record<string, FallbackText>> = {
  en: { title: "New notification", body: "Sign in to read it.", dir: "ltr" },
  es: { title: "Nueva notificación", body: "Inicie sesión para leerla.", dir: "ltr" },
  sv: { title: "Ny avisering", body: "Logga in för att läsa den.", dir: "ltr" },
  fr: { title: "Nouvelle notification", body: "Connectez-vous pour la lire.", dir: "ltr" },
  ar: { title: "إشعار جديد", body: "سجّل الدخول لقراءته.", dir: "rtl" },
  zh: { title: "新通知", body: "请登录后查看。", dir: "ltr" },
  vi: { title: "Thông báo mới", body: "Vui lòng đăng nhập để đọc.", dir: "ltr" },
};

/** @param languages those the person prefers, the most preferred first. */
export function fallbackText(languages: readonly string[]): FallbackText & { locale: string } {
  for (const tag of languages) {
    const locale = tag.toLowerCase().split("-", 1)[0] ?? "";
    const text = TEXTS[locale];
    if (text !== undefined) return { ...text, locale };
  }
  return { title: "New notification", body: "Sign in to read it.", dir: "ltr", locale: "en" };
}
