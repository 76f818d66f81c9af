"use strict";
// Language, colours, copying. The switches themselves are plain radio buttons and work without this file.
{
  const root = document.documentElement;
  const form = document.querySelector(".switches");
  const remember = (value) => { try { localStorage.setItem("sukima-theme", value); } catch { /* no storage: nothing to remember */ } };
  const remembered = () => { try { return localStorage.getItem("sukima-theme"); } catch { return null; } };

  const theme = document.getElementById(`theme-${remembered()}`);
  if (theme) theme.checked = true;
  form.addEventListener("change", (event) => {
    if (event.target.name === "language") root.lang = event.target.value;
    if (event.target.name === "theme") remember(event.target.value);
  });

  for (const button of document.querySelectorAll(".copy")) {
    const code = button.parentElement.querySelector("code");
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        getSelection().selectAllChildren(code);
        document.execCommand("copy");
      }
      button.classList.add("done");
      setTimeout(() => button.classList.remove("done"), 1500);
    });
  }
}
