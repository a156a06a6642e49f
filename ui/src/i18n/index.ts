/** Languages: chosen by hand, else by the browser; what is not English is loaded when it is wanted. */
import i18next from 'i18next';
import { initReactI18next, useTranslation } from 'react-i18next';
import { en, type Key } from './en';

export const LANGUAGES = { en: 'English', fr: 'Français', sw: 'Kiswahili' } as const;
export type Language = keyof typeof LANGUAGES;
const KEY = 'linkflow.language';

const OTHERS: Record<Exclude<Language, 'en'>, () => Promise<Record<string, string>>> = {
  fr: async () => (await import('./fr')).fr,
  sw: async () => (await import('./sw')).sw,
};

export function wanted(): Language {
  const kept = localStorage.getItem(KEY) ?? navigator.language.slice(0, 2);
  return kept in LANGUAGES ? (kept as Language) : 'en';
}

export async function speak(language: Language): Promise<void> {
  if (language !== 'en' && !i18next.hasResourceBundle(language, 'translation')) {
    i18next.addResourceBundle(language, 'translation', await OTHERS[language]());
  }
  localStorage.setItem(KEY, language);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

export async function startSpeaking(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'en', fallbackLng: 'en', resources: { en: { translation: en } }, keySeparator: false, nsSeparator: false, interpolation: { escapeValue: false },
  });
  const language = wanted();
  if (language !== 'en') await speak(language);
}

/** Say a text, and in which language. */
export function useWords(): { say: (key: Key, values?: Record<string, unknown>) => string; language: string } {
  const { t, i18n } = useTranslation();
  return { say: (key, values) => t(key as never, values as never) as unknown as string, language: i18n.language };
}

/** Say a text whose key is made at run time; what has none is said as it is. */
export function worded(say: (key: Key, values?: Record<string, unknown>) => string, key: string, otherwise: string): string {
  return key in en ? say(key as Key) : otherwise;
}
