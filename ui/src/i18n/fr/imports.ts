/** Mots des importations, en français. */
export const imports = {
  'imports.about': 'Chacun est arrivé inactif. Ce qui a été changé ou laissé de côté est listé.',
  'imports.clean': 'Rien n’a été changé ni laissé de côté.',
  'imports.noJson': '{{name}} ne contient pas de JSON.',
};
