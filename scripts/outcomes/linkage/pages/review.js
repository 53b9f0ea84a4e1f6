// Single keys press what names them in data-key, unless somebody types or has switched them off.
const keys = document.getElementById("keys");
keys.checked = localStorage.getItem("keys") !== "off";
keys.addEventListener("change", () => localStorage.setItem("keys", keys.checked ? "on" : "off"));

// A form is sent once, however often a button is pressed before the next page comes, and not
// before somebody can have seen it: a second press was meant for the page before.
const seenFrom = performance.now() + 500;
let isSent = false;
document.addEventListener("submit", (event) => {
    if (isSent || performance.now() < seenFrom) event.preventDefault();
    else isSent = true;
});

document.addEventListener("keydown", (event) => {
    // A key that is held down would decide about the next pair, too, before anybody has seen it.
    if (event.repeat) return;
    const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
    if (typing && event.key === "Escape") event.target.blur();
    // Enter presses what has the focus.
    const pressing = event.key === "Enter" && event.target !== document.body;
    if (typing || pressing || !keys.checked || event.ctrlKey || event.altKey || event.metaKey) return;
    const named = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!named) return;
    event.preventDefault();
    if (named.matches("input")) named.focus();
    else named.click();
});
