/** Light, dark, or as the system; kept in the browser. The first paint is set by /theme.js. */
export type Theme = 'light' | 'dark' | 'system';
const KEY = 'linkflow.theme';
const system = window.matchMedia('(prefers-color-scheme: dark)');

export function theme(): Theme {
  return (localStorage.getItem(KEY) as Theme | null) ?? 'system';
}

function paint(): void {
  const wanted = theme();
  document.documentElement.dataset.theme = wanted === 'dark' || (wanted === 'system' && system.matches) ? 'dark' : 'light';
}

export function setTheme(wanted: Theme): void {
  localStorage.setItem(KEY, wanted);
  paint();
}
system.addEventListener('change', paint);
