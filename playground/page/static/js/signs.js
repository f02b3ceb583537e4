/**
 * Own drawings for the signs that say how something is going, so that a card reads the same on every machine, also on
 * one without an emoji font. All other emoji are the font's.
 */

import { emoji } from "./emoji.js";
import { shape } from "./icons.js";

const [GREEN, RED, AMBER, BLUE, GREY, ORANGE] = ["#1f9d55", "#d64036", "#d99a1c", "#2f7fd0", "#8b989c", "#e0762b"];
const TICK = "m7 12.5 3.5 3.5L17 8.5";
const CROSS = "m8 8 8 8M16 8l-8 8";
const BANG = "M12 8v5M12 16.5v.1";

const disc = (fill) => ["circle", { cx: 12, cy: 12, r: 9, fill }];
const square = (fill) => ["rect", { x: 3.5, y: 3.5, width: 17, height: 17, rx: 3.5, fill }];
const line = (d, stroke = "#fff") => ["path", { d, fill: "none", stroke, "stroke-width": 2.4, "stroke-linecap": "round", "stroke-linejoin": "round" }];
const area = (d, fill) => ["path", { d, fill, stroke: fill, "stroke-width": 1.5, "stroke-linejoin": "round" }];
const ring = (stroke) => ["circle", { cx: 12, cy: 12, r: 7.8, fill: "none", stroke, "stroke-width": 2.2 }];

const glass = [line("M6.5 3.5h11M6.5 20.5h11M8 3.5v3.5l4 5-4 5v3.5M16 3.5v3.5l-4 5 4 5v3.5", AMBER), area("M10 18.5 12 16l2 2.5zM10.5 8h3L12 10z", AMBER)];
const turning = [line("M19 7.5A8.3 8.3 0 0 0 4.5 9M5 16.5A8.3 8.3 0 0 0 19.5 15M19.5 3v5h-5M4.5 21v-5h5", BLUE)];
const triangle = area("M12 4 2.8 19.5h18.4z", AMBER);

const SIGNS = {
  white_check_mark: [square(GREEN), line(TICK)],
  heavy_check_mark: [line(TICK, GREEN)],
  ballot_box_with_check: [square(BLUE), line(TICK)],
  x: [line("m6 6 12 12M18 6 6 18", RED)],
  warning: [triangle, line("M12 10v4M12 17v.1", "#2b2208")],
  rotating_light: [area("M7 16v-4a5 5 0 0 1 10 0v4z", RED), line("M4.5 19.5h15M12 3.5V2.5M4 8 3 7.5M20 8l1-.5", RED)],
  octagonal_sign: [area("M8 3.5h8l4.5 4.5v8L16 20.5H8L3.5 16V8z", RED), line(BANG)],
  no_entry: [disc(RED), line("M7.5 12h9")],
  no_entry_sign: [ring(RED), line("m6.5 6.5 11 11", RED)],
  exclamation: [line("M12 4.5v9.5M12 19v.1", RED)],
  information_source: [square(BLUE), line("M12 11v5.5M12 7.5v.1")],
  question: [line("M8.5 8a3.5 3.5 0 1 1 5 3.2c-1 .6-1.5 1.2-1.5 2.8M12 18.5v.1", RED)],
  hourglass: glass,
  hourglass_flowing_sand: glass,
  arrows_counterclockwise: turning,
  repeat: turning,
  red_circle: [disc(RED)],
  large_red_circle: [disc(RED)],
  large_green_circle: [disc(GREEN)],
  large_yellow_circle: [disc(AMBER)],
  large_orange_circle: [disc(ORANGE)],
  large_blue_circle: [disc(BLUE)],
  white_circle: [ring(GREY)],
  black_circle: [disc(GREY)],
  large_green_square: [square(GREEN)],
  large_yellow_square: [square(AMBER)],
  large_red_square: [square(RED)],
  arrow_forward: [square(BLUE), area("M9.5 8v8l6-4z", "#fff")],
  double_vertical_bar: [square(BLUE), line("M9.5 8v8M14.5 8v8")],
  leftwards_arrow_with_hook: [square(BLUE), line("M16 8.5v3a2 2 0 0 1-2 2H8M10.5 10.5l-3 3 3 3")],
  lock: [area("M6 11h12v9H6z", AMBER), line("M8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5", GREY)],
  bell: [area("M6 17c1.5-1.5 1.5-3 1.5-6a4.5 4.5 0 0 1 9 0c0 3 0 4.5 1.5 6zM10.5 19.5h3", AMBER)],
  zzz: [line("M5 6h6l-6 7h6M14 11h5l-5 6h5", BLUE)],
  rocket: [area("M12 3c4 3 4.5 8 2.5 13h-5C7.5 11 8 6 12 3z", GREY), area("M9 18h6l-3 3.5z", ORANGE), area("M7.5 11.5 4.5 16h3zM16.5 11.5l3 4.5h-3z", RED), ["circle", { cx: 12, cy: 9.5, r: 1.6, fill: "#fff" }]],
  "+1": [area("M4 11h3.5v9H4zM9 11l3.5-7c2 0 2.5 1.5 2 3l-.7 3H19c1 0 1.5 1 1.2 2l-1.7 6.5c-.3 1-.9 1.5-1.8 1.5H9z", AMBER)],
  eyes: [ring(GREY), ["circle", { cx: 9, cy: 12, r: 2, fill: GREY }], ["circle", { cx: 15, cy: 12, r: 2, fill: GREY }]],
  tada: [area("M4 20.5 9 8l7 7z", AMBER), line("M14 8c0-2 1-3 3-3.5M16 11.5c1.5-1 3-1 4.5-.5M11.5 6.5c.6-1.5.4-2.5-.2-3.5", BLUE)],
  package: [area("M4 8.5 12 4l8 4.5v8L12 21l-8-4.5z", "#b07a3f"), line("M4.5 8.7 12 13l7.5-4.300M12 13v7.5", "#fff")],
};

/** Return the sign of a short code as a node: the page's drawing, the font's character, or the code as it stood. */
export function sign(name) {
  const parts = SIGNS[name];
  if (!parts) return document.createTextNode(emoji(name));
  const svg = shape("svg", { viewBox: "0 0 24 24", class: "sign", role: "img", "aria-label": name.replace(/_/g, " ") });
  svg.append(...parts.map(([tag, attributes]) => shape(tag, attributes)));
  return svg;
}

/** Return plain text as nodes, its short codes as signs. */
export function withSigns(text) {
  return text.split(/(:[a-z0-9_+-]+:)/).map((part) => (/^:[a-z0-9_+-]+:$/.test(part) ? sign(part.slice(1, -1)) : part));
}
