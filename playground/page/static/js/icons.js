/** The page's own line drawings, on a 24 by 24 grid. */

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  hash: "M9 4 7 20M17 4l-2 16M4.5 9h16M3.5 15h16",
  home: "M4 11.5 12 4l8 7.5M6.5 10v9.5h11V10M10 19.5v-5h4v5",
  thread: "M5 5h14v10h-8l-4 4v-4H5zM9 9h6M9 12h4",
  code: "m8.5 7-5 5 5 5M15.5 7l5 5-5 5",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  moon: "M20 14.5A8.2 8.2 0 0 1 9.5 4 8.2 8.2 0 1 0 20 14.5",
  clock: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M12 7.5V12l3 2",
  search: "M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12M15 15l5 5",
  close: "m6 6 12 12M18 6 6 18",
  menu: "M4 6.5h16M4 12h16M4 17.5h16",
  send: "M4 12 20 4.5 15.5 20 11 13.5zM11 13.5 20 4.5",
  file: "M6.5 3.5h7l4 4v13h-11zM13.5 3.5v4h4",
  download: "M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 20h14",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5",
  down: "m6 9.5 6 6 6-6",
  right: "m9.5 6 6 6-6 6",
  left: "m14.5 6-6 6 6 6",
  help: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.5-1.1.9-1.1 1.8M12 16.6v.1",
  check: "m5 12.5 4.5 4.5L19 7.5",
  warning: "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.1",
  info: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17M12 11v5.5M12 7.6v.1",
  more: "M4.8 12a.8.8 0 1 0 1.6 0 .8.8 0 1 0-1.6 0M11.2 12a.8.8 0 1 0 1.6 0 .8.8 0 1 0-1.6 0M17.6 12a.8.8 0 1 0 1.6 0 .8.8 0 1 0-1.6 0",
  copy: "M8.5 8.5h11v11h-11zM15.5 8.5v-4h-11v11h4",
  person: "M12 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M5 20c.5-4 3-6 7-6s6.5 2 7 6",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  dot: "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6",
  bolt: "M13 3 5.5 13.5H11L10 21l8-11h-5.5z",
};

export function shape(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** Return a drawing; it is decoration, so the button around it carries the name. */
export function icon(name, size = 18) {
  const svg = shape("svg", { viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", class: `icon icon-${name}` });
  svg.append(shape("path", { d: PATHS[name], fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round" }));
  return svg;
}

/** Return the playground's mark: a road on two arches over water. */
export function mark(size = 32) {
  const svg = shape("svg", { viewBox: "0 0 32 32", width: size, height: size, "aria-hidden": "true", class: "mark" });
  svg.append(
    shape("rect", { width: 32, height: 32, rx: 8, class: "mark-ground" }),
    shape("path", { d: "M5 12h22v3.5H5z", class: "mark-road" }),
    shape("path", { d: "M7 22v-3a4 4 0 0 1 8 0v3M17 22v-3a4 4 0 0 1 8 0v3", class: "mark-arch" }),
    shape("path", { d: "M4.5 25.5q2-1.6 4 0t4 0 4 0 4 0 4 0 3 0", class: "mark-water" }),
  );
  return svg;
}
