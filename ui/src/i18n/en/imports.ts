/** Words about imports, in English. */
export const imports = {
  'imports.about': 'Each arrived inactive. What was changed or left out is listed.',
  'imports.clean': 'Nothing was changed or left out.',
  'imports.noJson': '{{name}} holds no JSON.',
};
