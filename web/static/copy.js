// Puts values on the clipboard. Pages work without it: the buttons are hidden
// until this has run, and every value can be selected by hand.
"use strict";

for (const button of document.querySelectorAll("button[data-copy]")) {
  const value = document.getElementById(button.dataset.copy);
  const label = button.querySelector("span");
  const word = label.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    let copied = true;
    try {
      await navigator.clipboard.writeText(value.textContent);
    } catch {
      // Without https there is no clipboard: select, and say what to press.
      getSelection().selectAllChildren(value);
      copied = false;
    }
    label.textContent = copied ? "Copied" : "Press Ctrl+C";
    button.classList.toggle("done", copied);
    setTimeout(() => {
      label.textContent = word;
      button.classList.remove("done");
    }, 2500);
  });
}
