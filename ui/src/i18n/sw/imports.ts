/** Maneno ya kuleta faili, kwa Kiswahili. */
export const imports = {
  'imports.about': 'Kila moja imefika bila kuwashwa. Yaliyobadilishwa au kuachwa yameorodheshwa.',
  'imports.clean': 'Hakuna kilichobadilishwa wala kuachwa.',
  'imports.noJson': '{{name}} haina JSON.',
};
