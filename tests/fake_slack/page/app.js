// The page: fetches what the fake workspace holds, draws it as Slack would, and sends back what a person does.
// The address says what is open: #C1, #C1/1700000000.000100 (with that thread), #home; ?user=U2 looks on as U2.
import { draw, el, encode, icon, mrkdwn, unescape } from "./blocks.js";

const ME = new URLSearchParams(location.search).get("user") || "U1";
const BOT = "UBOT"; // the user that the app speaks as
const EVERY = 250; // milliseconds between two looks at the state
const find = (selector, root = document) => root.querySelector(selector);
const pressed = {}; // what this person chose of feedback buttons
let state = null;
let visited = null; // the place whose opening the app was last told of

// ---- what is open, and what is what

function open() {
  const [place, thread] = decodeURIComponent(location.hash.slice(1)).split("/");
  return { place: place || state.channels[0].id, thread: thread || null };
}

const name = (id) => [...state.users, ...state.channels].find((one) => one.id === id)?.name || id;
const botName = () => name(BOT);
const isDirect = (channel) => channel.kind === "im";
const isReply = (message) => message.thread_ts && message.thread_ts !== message.ts;
const address = (place, thread) => `#${place}${thread ? `/${thread}` : ""}`;
// That of the statuses, titles or prompts which belongs to a thread, or with null to the channel itself.
const at = (list, channel, thread) =>
  list.find((one) => one.channel === channel && (one.thread_ts || null) === thread);

function busy(channel, thread) {
  const status = thread && at(state.statuses, channel, thread)?.status;
  return status ? `${botName()} ${status}` : "";
}

// ---- talking to the server

let asked = 0;
let drawn = 0;
let latest = "";

async function refresh() {
  const turn = ++asked;
  const reply = await fetch(`ui/state?user=${encodeURIComponent(ME)}`);
  const text = await reply.text();
  if (!reply.ok) throw new TypeError(`the server answered ${reply.status}`);
  if (turn < drawn || text === latest) return; // an answer that was overtaken by a later one is old
  [drawn, latest, state] = [turn, text, JSON.parse(text)];
  paint();
}

async function post(action, body) {
  const headers = { "Content-Type": "application/json" };
  const reply = await fetch(`ui/${action}`, { method: "POST", headers, body: JSON.stringify({ user: ME, ...body }) });
  const said = await reply.json().catch(() => ({}));
  trouble(reply.ok ? "" : `That did not work: ${said.error || reply.status}.`);
  await refresh();
}

function trouble(text) {
  const line = find("#trouble");
  line.textContent = text;
  line.hidden = !text;
}

async function watch() {
  const line = find("#trouble");
  try {
    await refresh();
    if (line.dataset.lost) trouble("");
    delete line.dataset.lost;
  } catch (error) {
    if (!(error instanceof TypeError)) console.error(error);
    line.dataset.lost = "yes";
    trouble("The workspace cannot be reached. This page goes on when `make slack-demo` runs again.");
  }
  setTimeout(watch, EVERY);
}

// What a block needs to know of where it stands: `ts` of its message, or the id of the view.
function around(where) {
  const key = (block, action) => JSON.stringify([where.ts || where.view_id, block, action]);
  return {
    name,
    pressed: (block, action) => pressed[key(block, action)],
    click(block_id, action_id, value) {
      pressed[key(block_id, action_id)] = value;
      latest = "";
      return post("click", { ...where, block_id, action_id, value });
    },
  };
}

// ---- messages

// Make `parent` hold one child for each [key, data], and touch only those whose data changed: focus and selection stay.
function sync(parent, items, make) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach(([key, data], position) => {
    const json = JSON.stringify(data);
    let child = old.get(key);
    if (child?.json !== json) {
      child?.remove();
      child = make(data);
      Object.assign(child, { json }).dataset.key = key;
    }
    old.delete(key);
    if (parent.children[position] !== child) parent.insertBefore(child, parent.children[position] || null);
  });
  for (const gone of old.values()) gone.remove();
}

function body(message) {
  const where = around({ ts: message.ts });
  const { blocks = [], streamed, streaming, text } = message;
  const words = streamed || streaming ? unescape(streamed) : mrkdwn(text, where);
  const shown = streamed || streaming || !blocks.length; // with blocks, `text` is for notifications only
  return [shown ? el("div", { class: streaming ? "text streaming" : "text" }, words) : null, draw(blocks, where)];
}

function menu(message) {
  const thread = address(message.channel, message.thread_ts || message.ts);
  const ask = (event) => {
    event.target.closest("details").open = false;
    post("shortcut", { channel: message.channel, ts: message.ts, callback_id: "ask_about" });
  };
  return el("div", { class: "tools" },
    el("a", { class: "icon", href: thread, "aria-label": "Reply in thread" }, icon("reply")),
    el("details", { focusout: leave, keydown: leave },
      el("summary", { class: "icon", "aria-label": "More actions" }, icon("more")),
      el("button", { type: "button", click: ask }, "Ask about this message")));
}

// A menu closes when it is left, or with Escape.
function leave(event) {
  const away = event.type === "focusout" && event.relatedTarget && !event.currentTarget.contains(event.relatedTarget);
  if (away || event.key === "Escape") event.currentTarget.open = false;
}

function foot({ message, replies, doing }) {
  const words = replies === 1 ? "1 reply" : `${replies} replies`;
  return el("p", { class: "foot" },
    replies ? el("a", { href: address(message.channel, message.ts) }, words) : null,
    doing ? el("span", { class: "busy" }, doing) : null);
}

function clock(ts) {
  const when = new Date(ts * 1000);
  const shown = when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return el("time", { datetime: when.toISOString() }, shown);
}

function line(data) {
  const { message } = data;
  const bot = Boolean(message.bot_id);
  const author = name(message.user);
  const edited = message.edited && !bot ? el("small", {}, "(edited)") : null;
  return el("li", { class: message.ephemeral_to ? "message private" : "message", "data-ts": message.ts },
    message.ephemeral_to ? el("p", { class: "only" }, icon("eye"), "Only visible to you") : null,
    el("span", { class: bot ? "face bot" : "face", "aria-hidden": "true" }, author[0]),
    el("div", { class: "said" },
      el("p", { class: "who" },
        el("b", {}, author), bot && el("span", { class: "app" }, "APP"), clock(message.ts), edited),
      body(message),
      data.replies || data.doing ? foot(data) : null),
    message.ephemeral_to ? null : menu(message));
}

// All that the drawing of a message depends on.
function item(message, top) {
  const inThread = (one) => isReply(one) && one.thread_ts === message.ts && !one.ephemeral_to;
  const replies = top ? state.messages.filter(inThread).length : 0;
  const chosen = Object.entries(pressed).filter(([key]) => key.includes(message.ts));
  return [message.ts, { message, replies, chosen, doing: top ? busy(message.channel, message.ts) : "" }];
}

// ---- the two panes

// Who reads the newest message goes on to see the newest, whatever is added or resized.
function stick(list) {
  list.addEventListener("scroll", () => {
    list.atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  });
  new ResizeObserver(() => {
    if (list.atEnd) list.scrollTop = list.scrollHeight;
  }).observe(list);
}

function paintPane(pane, { channel, thread, messages }) {
  const list = find(".messages", pane);
  const where = address(channel, thread);
  if (list.dataset.where !== where) list.atEnd = true;
  list.dataset.where = where;
  sync(list, messages.map((message) => item(message, !thread)), line);
  if (list.atEnd) list.scrollTop = list.scrollHeight;
  const status = find(".status", pane);
  const doing = busy(channel, thread);
  if (status.textContent !== doing) status.textContent = doing; // what is set anew is read out anew
  const prompts = at(state.prompts, channel, thread)?.prompts || [];
  sync(find(".prompts", pane), prompts.map((prompt, place) => [String(place), prompt]), ({ title, message }) => {
    const say = () => post("say", { channel, thread_ts: thread, text: encode(message, state.users) });
    return el("button", { type: "button", class: "push", click: say }, title);
  });
}

function paintThread({ place, thread }) {
  const pane = find("#thread");
  pane.hidden = !thread;
  document.body.classList.toggle("beside", Boolean(thread));
  if (!thread) return;
  find("#thread-topic").textContent = at(state.titles, place, thread)?.title || "";
  find("#close-thread").href = address(place);
  const inThread = (one) => one.channel === place && (one.ts === thread || one.thread_ts === thread);
  paintPane(pane, { channel: place, thread, messages: state.messages.filter(inThread) });
}

function paintChannel(channel) {
  const messages = state.messages.filter((one) => one.channel === channel.id && !isReply(one));
  const hint = `Begin with @${botName()} to ask before everyone, with /clippings to ask for yourself.`;
  find("#title").textContent = isDirect(channel) ? botName() : `# ${channel.name}`;
  find("#topic").textContent = isDirect(channel) ? "" : hint;
  find("main textarea").placeholder = `Message ${isDirect(channel) ? botName() : `#${channel.name}`}`;
  paintPane(find("main"), { channel: channel.id, thread: null, messages });
}

function paintHome() {
  const home = find("#home");
  const json = JSON.stringify(state.home);
  find("#title").textContent = `${botName()} Home`;
  find("#topic").textContent = "";
  if (home.json === json) return;
  home.json = json;
  const empty = el("p", {}, `${botName()} has not drawn its Home yet.`);
  home.replaceChildren(...(state.home ? draw(state.home.blocks, around({ view_id: state.home.id })) : [empty]));
}

function paintPlaces({ place }) {
  const entry = (id, sign, label) => [id, { id, sign, label, current: id === place ? "page" : null }];
  const channels = state.channels.map((channel) =>
    entry(channel.id, ...(isDirect(channel) ? ["●", botName()] : ["#", channel.name])));
  sync(find("#places"), [...channels, entry("home", "", `${botName()} Home`)], ({ id, sign, label, current }) =>
    el("a", { href: address(id), "aria-current": current },
      el("span", { class: "sign", "aria-hidden": "true" }, sign || icon("home")), label));
}

function paint() {
  const where = open();
  const channel = state.channels.find((one) => one.id === where.place);
  document.body.hidden = false; // until now there was nothing to send a message to
  find("#home").hidden = Boolean(channel);
  for (const part of [find("#messages"), find("main .below")]) part.hidden = !channel;
  paintPlaces(where);
  if (channel) paintChannel(channel);
  else paintHome();
  paintThread(where);
  paintModal();
  paintErrors();
  if (visited !== where.place) visit(where.place, channel);
}

// Slack tells an app that its Home, or its conversation with this person, was opened.
function visit(place, channel) {
  visited = place;
  if (!channel) post("home", {});
  else if (isDirect(channel)) post("pane", {});
}

// ---- modals

const close = () => post("close", {});

function paintModal() {
  const dialog = find("#modal");
  const view = state.modal;
  const json = JSON.stringify(view);
  if (dialog.json === json) return;
  dialog.json = json;
  if (!view) {
    dialog.close();
    return;
  }
  const cancel = view.close?.text || (view.submit ? "Cancel" : "Close");
  dialog.replaceChildren(el("form", { submit },
    el("header", {},
      el("h2", { id: "modal-title" }, view.title.text),
      el("button", { type: "button", class: "icon", "aria-label": "Close", click: close }, icon("close"))),
    el("div", { class: "view", tabindex: "0" }, draw(view.blocks, around({ view_id: view.id }))),
    el("footer", {},
      el("button", { type: "button", class: "push", click: close }, cancel),
      view.submit ? el("button", { class: "push primary" }, view.submit.text) : null)));
  if (!dialog.open) dialog.showModal();
}

function submit(event) {
  event.preventDefault();
  const values = {};
  for (const [key, value] of new FormData(event.target)) {
    const [block, action] = JSON.parse(key);
    (values[block] ||= {})[action] = value;
  }
  post("submit", { values });
}

// What the app found wrong with what was filled in, below each field.
function paintErrors() {
  for (const field of document.querySelectorAll("#modal .input")) {
    const wrong = state.modal_errors[field.dataset.block];
    const make = (text) => el("p", { class: "error", role: "alert" }, text);
    sync(find(".errors", field), wrong ? [["wrong", wrong]] : [], make);
  }
}

// ---- composers

function send(field, inThread) {
  const { place, thread } = open();
  const text = field.value.trim();
  const command = text.startsWith("/");
  if (!text) return;
  if (command && inThread) {
    trouble("Slack does not take commands in threads.");
    return;
  }
  field.value = "";
  if (command) post("command", { channel: place, text });
  else post("say", { channel: place, text: encode(text, state.users), thread_ts: inThread ? thread : null });
}

function composer(form, label, inThread) {
  const keydown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  };
  const field = el("textarea", { rows: 1, "aria-label": label, placeholder: `${label}…`, keydown });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(field, inThread);
  });
  form.append(field, el("button", { class: "icon", "aria-label": `Send ${label.toLowerCase()}` }, icon("send")));
}

composer(find("main .composer"), "Message", false);
composer(find("#thread .composer"), "Reply", true);
for (const list of document.querySelectorAll(".messages")) stick(list);
find("#close-thread").append(icon("close"));
find("#modal").addEventListener("cancel", (event) => {
  event.preventDefault();
  close();
});
addEventListener("hashchange", () => {
  if (!state) return;
  paint();
  if (open().thread) find("#thread textarea").focus();
});
watch();
