// Runs before the first paint: dark or light, as the system wishes. A style sheet does the same where scripts are off.
(function () {
  "use strict";
  var wish = window.matchMedia("(prefers-color-scheme: dark)");
  function apply() {
    document.documentElement.setAttribute("data-bs-theme", wish.matches ? "dark" : "light");
  }
  document.documentElement.classList.add("has-script");
  apply();
  wish.addEventListener("change", apply);
})();
