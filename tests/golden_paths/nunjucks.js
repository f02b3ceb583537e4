// Renders cases with nunjucks as Backstage configures it: JSON on standard input, JSON on standard output.
'use strict';
const nunjucks = require(process.argv[2] + '/nunjucks');
const tags = { variableStart: '${{', variableEnd: '}}' };

function environment(options) {
  const env = new nunjucks.Environment([], {
    autoescape: false,
    trimBlocks: Boolean(options.trimBlocks),
    lstripBlocks: Boolean(options.lstripBlocks),
    ...(options.cookiecutter ? {} : { tags }),
  });
  env.addFilter('jsonify', env.getFilter('dump'));
  return env;
}

function isSingle(text) {
  const { parser, nodes } = nunjucks;
  const { children } = parser.parse(text, {}, { autoescape: false, tags });
  return children.length === 1 && !(children[0]?.children?.[0] instanceof nodes.TemplateData);
}

function stepValue(text, context) {
  const env = environment({});
  if (isSingle(text)) {
    const dumped = env.renderString(text.replace(/\${{(.+)}}/g, '${{ ( $1 ) | dump }}'), context);
    if (dumped === '') return { absent: true };
    try {
      return { value: JSON.parse(dumped) };
    } catch {
      // Backstage falls back to the text
    }
  }
  const rendered = env.renderString(text, context);
  return rendered === '' ? { absent: true } : { value: rendered };
}

const cases = JSON.parse(require('fs').readFileSync(0, 'utf-8'));
const answers = cases.map(({ source, context, options, step }) => {
  try {
    return step ? stepValue(source, context) : { text: environment(options || {}).renderString(source, context) };
  } catch (error) {
    return { error: String(error.message || error).split('\n').pop() };
  }
});
process.stdout.write(JSON.stringify(answers));
