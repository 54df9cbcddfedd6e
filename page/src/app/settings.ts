/** What this browser remembers of a reader's wishes. */

export function remembered(key: string, value?: string): string | null {
  try {
    if (value !== undefined) {
      localStorage.setItem(`whatcart.${key}`, value);
    }
    return localStorage.getItem(`whatcart.${key}`);
  } catch {
    return null;
  }
}

/** The theme follows the system until somebody has chosen one. */
export function applyTheme(): void {
  const dark =
    remembered("theme") === "dark" ||
    (!remembered("theme") && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

export function toggleTheme(): void {
  const { dataset } = document.documentElement;
  remembered("theme", dataset.theme === "dark" ? "light" : "dark");
  dataset.theme = dataset.theme === "dark" ? "light" : "dark";
}
