// Reads a JSON list of [language, text] and prints, for each, the tree that Grafana's grammar makes of the text: the names
// of its nodes in order, with "⚠" where the text does not fit. Environment: NODE_PATH.
const parsers = {
  logql: require("@grafana/lezer-logql").parser,
  traceql: require("@grafana/lezer-traceql").parser,
};

function tree(language, text) {
  const cursor = parsers[language].parse(text).cursor();
  const names = [];
  do names.push(cursor.type.isError ? "⚠" : cursor.name);
  while (cursor.next());
  return names;
}

let given = "";
process.stdin.on("data", (part) => (given += part));
process.stdin.on("end", () => console.log(JSON.stringify(JSON.parse(given).map((one) => tree(...one)))));
