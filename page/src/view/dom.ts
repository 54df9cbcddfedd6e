/** Small helpers for building and changing the document. Text is always text: nothing here reads HTML. */

type Child = Node | string | number | null | false | undefined;
type Props = Readonly<
  Record<string, string | number | boolean | null | undefined | ((event: never) => void)>
>;

/** `h("button.play", { "aria-label": "Play", onclick: play }, icon("play"))` */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K | `${K}.${string}`,
  props: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name as K);
  if (classes.length > 0) {
    element.className = classes.join(" ");
  }
  for (const [key, value] of Object.entries(props)) {
    if (typeof value === "function") {
      element.addEventListener(key.slice(2), value as EventListener);
    } else if (value === true) {
      element.setAttribute(key, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(key, String(value));
    }
  }
  element.append(
    ...children.filter((child) => child !== null && child !== false && child !== undefined).map(text),
  );
  return element;
}

const text = (child: Child): Node | string => (child instanceof Node ? child : String(child));

const SVG = "http://www.w3.org/2000/svg";

/** One of the symbols in index.html. */
export function icon(name: string, className = "icon"): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Sets a text if it is another one. */
export function say(element: Element, words: string): void {
  if (element.textContent !== words) {
    element.textContent = words;
  }
}

/** Sets an attribute if it has another value. */
export function mark(element: Element, name: string, value: string | null): void {
  if (value === null) {
    element.removeAttribute(name);
  } else if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

/** The number of a design, in its colour; a second future of it has a stroke. */
export function badge(run: {
  readonly design: { readonly number: number };
  readonly branch: string | null;
}): HTMLElement {
  const { number } = run.design;
  const element = h("span.no", {}, run.branch ? `${number}′` : number);
  element.classList.add("small", `of-${Math.min(7, number)}`);
  return element;
}

/** `1:05.3` */
export function clock(seconds: number, digits = 0): string {
  const scale = 10 ** digits;
  const whole = Math.floor(seconds * scale + 1e-6) / scale;
  const minutes = Math.floor(whole / 60);
  const rest = (whole - minutes * 60).toFixed(digits);
  return `${minutes}:${rest.padStart(digits > 0 ? 3 + digits : 2, "0")}`;
}
