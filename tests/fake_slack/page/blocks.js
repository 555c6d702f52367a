// Block Kit and mrkdwn to DOM. What a message holds is untrusted: it becomes text nodes, never markup, and a link
// only where its address is http or https. `here` is what is around: {name(id), pressed(block, action),
// click(block, action, value)}.

const EMOJI = {
  "+1": "👍", "-1": "👎", bulb: "💡", eyes: "👀", hourglass: "⏳", mag: "🔍", newspaper: "📰",
  page_facing_up: "📄", smile: "😄", tada: "🎉", thumbsdown: "👎", thumbsup: "👍", warning: "⚠️", wave: "👋",
  white_check_mark: "✅", x: "❌",
};
const ICONS = {
  close: "M6 6l12 12M18 6L6 18",
  eye: "M2 12s4-6.5 10-6.5S22 12 22 12s-4 6.5-10 6.5S2 12 2 12zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5",
  home: "M4 11l8-7 8 7M6 9.5V20h12V9.5M10 20v-5h4v5",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  negative: "M17 14V3H7.5a2 2 0 0 0-2 1.6L4 12a2 2 0 0 0 2 2.4h4.5L9.7 19a2 2 0 0 0 3.6 1.4L17 14h3V3h-3",
  positive: "M7 10v11h9.5a2 2 0 0 0 2-1.6L20 12a2 2 0 0 0-2-2.4h-4.5l.8-4.6a2 2 0 0 0-3.6-1.4L7 10H4v11h3",
  reply: "M4 5h16v11H11l-4.5 4V16H4z",
  send: "M4 12L20 4l-5 16-4-6.5zM11 13.5L20 4",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
};

const isThere = (value) => value !== undefined && value !== null && value !== false;

// el("p", {class: "note"}, "text", node): children that are strings become text; a function is a listener.
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (isThere(value)) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter(isThere));
  return made;
}

export function icon(name) {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name] || ICONS.more);
  svg.append(path);
  return svg;
}

function link(url, ...children) {
  if (!/^https?:\/\//i.test(url)) return el("span", {}, children);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, children);
}

const emoji = (code) =>
  Object.hasOwn(EMOJI, code) ? el("span", { role: "img", "aria-label": code }, EMOJI[code]) : `:${code}:`;
const mention = (text) => el("span", { class: "mention" }, text);

// Slack's three entities, and no others.
export const unescape = (text) => text.replace(/&(lt|gt|amp);/g, (_, name) => ({ lt: "<", gt: ">", amp: "&" })[name]);

// What is typed, as Slack sends it: entities escaped, @Name as <@U1>, addresses between angle brackets.
export function encode(text, users) {
  const signs = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
  let sent = text.replace(/[&<>]/g, (sign) => signs[sign]);
  for (const user of users) {
    const mention = new RegExp(`@${user.name.replace(/\W/g, "\\$&")}\\b`, "gi");
    sent = sent.replace(mention, `<@${user.id}>`);
  }
  return sent.replace(/https?:\/\/[^\s<>]+/g, "<$&>");
}

// What stands between angle brackets: <@U1>, <#C1|news>, <!here>, <https://…|words>.
function angled(inside, here) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? null : unescape(inside.slice(bar + 1));
  if (/^[@#]/.test(target)) return mention(target[0] + (label || here.name(target.slice(1))));
  if (target.startsWith("!")) return mention(label || `@${target.slice(1)}`);
  return link(unescape(target), label || unescape(target));
}

const ENTITIES = /<([^<>\n]+)>/g;
const CODES = /:([a-z0-9_+'-]+):/g;
// *bold*: nothing of a word outside of the marks, no space inside of them.
const marked = (mark) => `(?<![\\w${mark}])${mark}(?=\\S)([^${mark}\\n]*[^${mark}\\s])${mark}(?![\\w${mark}])`;
const INLINE = new RegExp(
  [
    "`([^`\\n]+)`",
    ENTITIES.source,
    marked("\\*"),
    marked("_"),
    marked("~"),
    CODES.source,
    "(https?:\\/\\/[^\\s<>|]+)", // Slack makes links of bare addresses in mrkdwn, and not in rich text
  ].join("|"),
  "g",
);

// The pieces of a text: what `pattern` finds goes through `make`, what stands between it is text.
function pieces(text, pattern, make, between = unescape) {
  const made = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    made.push(between(text.slice(end, match.index)), make(match));
    end = match.index + match[0].length;
  }
  return [...made, between(text.slice(end))];
}

const code = (text, here) => pieces(text, ENTITIES, (match) => angled(match[1], here));

function inline(text, here) {
  return pieces(text, INLINE, ([, coded, entity, bold, italic, strike, name, url]) => {
    if (coded) return el("code", {}, code(coded, here));
    if (entity) return angled(entity, here);
    if (bold) return el("b", {}, inline(bold, here));
    if (italic) return el("i", {}, inline(italic, here));
    if (strike) return el("s", {}, inline(strike, here));
    return url ? link(unescape(url), unescape(url)) : emoji(name);
  });
}

// Lines that begin with > are a quotation.
function lines(text, here) {
  const made = pieces(text, /^(?:(?:>|&gt;).*(?:\n|$))+/gm, ([quoted]) =>
    el("blockquote", {}, inline(quoted.replace(/^(?:>|&gt;) ?/gm, "").trimEnd(), here)), (rest) => inline(rest, here));
  return made.flat(Infinity);
}

export function mrkdwn(text, here) {
  const fence = /```\n?([\s\S]+?)```/g;
  return pieces(text, fence, (match) => el("pre", {}, code(match[1], here)), (rest) => lines(rest, here));
}

function words(object, here) {
  if (object.type === "mrkdwn") return mrkdwn(object.text, here);
  if (object.emoji === false) return [object.text];
  return pieces(object.text, CODES, (match) => emoji(match[1]), String);
}

function styled(element, here) {
  const { style = {}, type } = element;
  let made = element.text ?? "";
  if (type === "link") made = link(element.url, element.text || element.url);
  else if (type === "user") made = mention(`@${here.name(element.user_id)}`);
  else if (type === "channel") made = mention(`#${here.name(element.channel_id)}`);
  else if (type === "usergroup") made = mention(`@${element.usergroup_id}`);
  else if (type === "broadcast") made = mention(`@${element.range}`);
  else if (type === "emoji") made = emoji(element.name);
  else if (type === "date") made = element.fallback || new Date(element.timestamp * 1000).toLocaleString();
  for (const [name, tag] of [["code", "code"], ["strike", "s"], ["italic", "i"], ["bold", "b"]]) {
    if (style[name]) made = el(tag, {}, made);
  }
  return made;
}

function rich(element, here) {
  const inside = element.elements.map((child) => (child.elements ? rich(child, here) : styled(child, here)));
  if (element.type === "rich_text_quote") return el("blockquote", {}, inside);
  if (element.type === "rich_text_preformatted") return el("pre", {}, inside);
  if (element.type !== "rich_text_list") return el("p", {}, inside);
  const tag = element.style === "ordered" ? "ol" : "ul";
  const start = tag === "ol" && element.offset ? element.offset + 1 : undefined;
  return el(tag, { start, class: `indent-${element.indent || 0}` }, inside.map((child) => el("li", {}, child)));
}

function button(block, element, here, value = element.value, shown = null) {
  const pressed = shown ? here.pressed(block.block_id, element.action_id) === value : undefined;
  return el(
    "button",
    {
      type: "button",
      class: shown ? "feedback" : `push ${element.style || ""}`,
      "aria-label": element.accessibility_label,
      "aria-pressed": pressed === undefined ? undefined : String(pressed),
      title: element.accessibility_label,
      click: () => here.click(block.block_id, element.action_id, value),
    },
    shown && icon(shown),
    element.text ? words(element.text, here) : null,
  );
}

function interactive(block, element, here) {
  if (element.type === "button") return button(block, element, here);
  if (element.type === "icon_button") return button(block, element, here, element.value, element.icon);
  if (element.type !== "feedback_buttons") return unknown(element);
  return [["positive", element.positive_button], ["negative", element.negative_button]].map(([kind, object]) =>
    button(block, { ...object, action_id: element.action_id }, here, object.value, kind));
}

function input(block, here) {
  const { element } = block;
  const id = `input-${block.block_id}-${element.action_id}`;
  if (element.type !== "plain_text_input") return unknown(element);
  const field = el(element.multiline ? "textarea" : "input", {
    id, name: JSON.stringify([block.block_id, element.action_id]), rows: element.multiline ? 4 : undefined,
    placeholder: element.placeholder?.text, maxlength: element.max_length, required: !block.optional,
  });
  field.value = element.initial_value || "";
  return el("div", { class: "input", "data-block": block.block_id },
    el("label", { for: id }, words(block.label, here), block.optional ? el("small", {}, " (optional)") : null),
    field,
    block.hint ? el("small", {}, words(block.hint, here)) : null,
    el("div", { class: "errors" }));
}

const unknown = (thing) => el("p", { class: "unknown" }, `[${thing.type}: this page does not draw it]`);

function section(block, here) {
  const texts = [block.text, ...(block.fields || [])].filter(isThere);
  return el("div", { class: "section" },
    el("div", { class: "text" }, texts.map((text) => el("p", {}, words(text, here)))),
    block.accessory ? interactive(block, block.accessory, here) : null);
}

function context(block, here) {
  const shown = (element) => (element.type === "image" ? element.alt_text : words(element, here));
  return el("div", { class: "context" }, block.elements.map((element) => el("span", {}, shown(element))));
}

const actions = (kind) => (block, here) =>
  el("div", { class: kind }, block.elements.map((element) => interactive(block, element, here)));

const BLOCKS = {
  actions: actions("actions"),
  context,
  context_actions: actions("actions slight"),
  divider: () => el("hr"),
  header: (block, here) => el("h3", {}, words(block.text, here)),
  input,
  markdown: (block) => el("div", { class: "text" }, unescape(block.text)),
  rich_text: (block, here) => el("div", { class: "text" }, block.elements.map((element) => rich(element, here))),
  section,
};

export function draw(blocks, here) {
  return blocks.map((block) => (Object.hasOwn(BLOCKS, block.type) ? BLOCKS[block.type](block, here) : unknown(block)));
}
