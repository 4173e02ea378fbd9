/** The way in: by name on the machine that runs Schoolbell, by token anywhere else. */
import { canSignInByName } from "./api.ts";
import { byId } from "./elements.ts";
import { rememberedUser, sessionOfToken, signInAs, type Session } from "./session.ts";

export interface SignIn {
  /** Shows the form, or signs in whoever was signed in before the page was reloaded. */
  start(): Promise<void>;
  show(): void;
  hide(): void;
}

/** @param onSession is called with every session that begins. */
export function createSignIn(onSession: (session: Session) => void): SignIn {
  const card = byId("sign-in", HTMLElement);
  const nameForm = byId("name-form", HTMLFormElement);
  const name = byId("user-id", HTMLInputElement);
  const details = byId("token-details", HTMLDetailsElement);
  const tokenForm = byId("token-form", HTMLFormElement);
  const token = byId("token", HTMLTextAreaElement);
  let byName = true;

  function showError(message: string | undefined): void {
    const line = byId("sign-in-error", HTMLParagraphElement);
    line.hidden = message === undefined;
    line.textContent = message ?? "";
  }

  function showNames(): void {
    nameForm.hidden = false;
    details.hidden = false;
  }

  /** Nobody here can be taken at their word, so the token is the only way. */
  function showTokenOnly(): void {
    byName = false;
    nameForm.hidden = true;
    details.replaceWith(tokenForm);
    byId("sign-in-lead", HTMLParagraphElement).textContent =
      "Sign in with a token, send yourself a notification, and watch it come in.";
    byId("token-hint", HTMLParagraphElement).textContent =
      "From whoever runs this service: a JWT that names you, with the scope notify:send to send anything. It stays in this tab and is forgotten when you reload.";
  }

  async function signInByName(userId: string): Promise<void> {
    showError(undefined);
    const result = await signInAs(userId);
    if (result.ok) return onSession(result.value);
    if (result.status === 403 || result.status === 404) showTokenOnly();
    else showNames();
    showError([result.message, ...result.issues].join(" · "));
  }

  nameForm.addEventListener("submit", (event) => {
    event.preventDefault();
    void signInByName(name.value.trim());
  });
  tokenForm.addEventListener("submit", (event) => {
    event.preventDefault();
    const own = sessionOfToken(token.value.trim());
    token.value = "";
    showError(own === undefined ? "That does not look like a token (JWT)." : undefined);
    if (own !== undefined) onSession(own);
  });

  return {
    async start() {
      const earlier = rememberedUser();
      if (earlier !== undefined) {
        name.value = earlier;
        return signInByName(earlier);
      }
      if (await canSignInByName()) showNames();
      else showTokenOnly();
    },
    show() {
      card.hidden = false;
      if (byName) showNames();
      (byName ? name : token).focus();
    },
    hide() {
      card.hidden = true;
    },
  };
}
