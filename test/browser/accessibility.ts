/** Looks at a page as it is drawn: contrast, names of controls, width. */
import type { Page } from "playwright-core";

/** Text below WCAG AA contrast (1.4.3), as `colour on background: text`. */
export async function lowContrastTexts(page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(`(() => {
    const parse = (colour) => {
      const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
      return { r, g, b, a };
    };
    const over = (top, below) => ({
      r: top.r * top.a + below.r * (1 - top.a),
      g: top.g * top.a + below.g * (1 - top.a),
      b: top.b * top.a + below.b * (1 - top.a),
      a: 1,
    });
    const background = (element) => {
      if (element === null) return { r: 255, g: 255, b: 255, a: 1 };
      const own = parse(getComputedStyle(element).backgroundColor);
      return own.a === 1 ? own : over(own, background(element.parentElement));
    };
    const luminance = ({ r, g, b }) => {
      const [x, y, z] = [r, g, b].map((value) => {
        const share = value / 255;
        return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * x + 0.7152 * y + 0.0722 * z;
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const element = node.parentElement;
      if (node.textContent.trim() === "" || !element.checkVisibility()) continue;
      const style = getComputedStyle(element);
      const below = background(element);
      const [light, dark] = [luminance(over(parse(style.color), below)), luminance(below)]
        .sort((a, b) => b - a);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if ((light + 0.05) / (dark + 0.05) < (large ? 3 : 4.5)) {
        found.push(style.color + " on " + JSON.stringify(below) + ": " + node.textContent.trim());
      }
    }
    return found;
  })()`);
}

/** Visible controls without a name that a screen reader could say. */
export async function namelessControls(page: Page): Promise<string[]> {
  const controls = page.locator(
    "input:visible, select:visible, textarea:visible, button:visible, a:visible",
  );
  const nameless: string[] = [];
  for (const control of await controls.all()) {
    const name = await control.ariaSnapshot();
    // The snapshot of a named control is such as: - textbox "Name": teacher-1
    if (!/^- '?\w+ "[^"]+"/.test(name)) nameless.push(name);
  }
  return nameless;
}

/** By how many pixels the page is wider than the window. */
export async function horizontalOverflow(page: Page): Promise<number> {
  return await page.evaluate<number>("document.documentElement.scrollWidth - window.innerWidth");
}
