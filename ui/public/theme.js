// Runs before the first paint, so that no page flashes in the other theme; a file, because the policy allows no inline script.
(function () {
  var wanted = localStorage.getItem('linkflow.theme') || 'system';
  var dark = wanted === 'dark' || (wanted === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
