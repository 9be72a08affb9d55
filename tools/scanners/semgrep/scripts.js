// ruleid: text-made-into-a-page
node.innerHTML = text;
// ruleid: text-made-into-a-page
node.insertAdjacentHTML("beforeend", text);
// ruleid: text-made-into-a-page
eval(text);
// ok: text-made-into-a-page
node.textContent = text;
// ruleid: kept-in-the-browser
localStorage.setItem("a", text);
// ok: kept-in-the-browser
const kept = new Map();
// ruleid: message-between-windows
parent.postMessage(text, "*");
// ruleid: message-between-windows
window.addEventListener("message", listen);
// ok: message-between-windows
document.addEventListener("click", listen);
