// One WebSocket carries wishes up, state and figures down, and pictures both ways. A lost one is opened again.

import { $ } from "./dom.js";

const REFUSED = 1008, LONGEST_MS = 5000;

export let hello = {};  // the device's first words: what it offers
let socket = null, tries = 0;

// on: heard(message), pictured(data) and closed() are called as they come.
export function connect(on) {
  const address = new URL("ws", location.href);  // beside the page, wherever a proxy has put it
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") return on.pictured(data);
    const message = JSON.parse(data);
    if (message.type === "hello") [hello, tries] = [message, 0];
    on.heard(message);
  };
  socket.onclose = async ({ code, reason }) => {
    on.closed();
    link("wait", "not connected");
    if (code === REFUSED) return notify(reason, true);
    tries += 1;
    setTimeout(connect, Math.min(LONGEST_MS, 250 * 2 ** tries), on);
    notify(`${reason || "The connection is lost."} Trying again ...`);
    if (await locked()) notify("The device has a new token since it started again: open the address that it printed.", true);
  };
}

// Whether the device answers, but not to the token that this page has.
async function locked() {
  try {
    return (await fetch("icon.svg", { cache: "no-store" })).status === 403;
  } catch {
    return false;
  }
}

export function send(data) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(data);
}

export const say = (wish) => send(JSON.stringify(wish));

export function link(how, text) {
  $("link").dataset.state = how;
  $("link").textContent = text;
}

// Words over the picture until the next one comes; "" for none.
export function notify(text, again = false) {
  $("notice-words").textContent = text;
  $("again").hidden = !again;
  $("notice").hidden = !text;
}
