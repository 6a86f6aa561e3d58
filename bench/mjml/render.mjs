// Renders an MJML document again and again in one process: node render.mjs FILE RUNS, with MJML_HOME. Prints JSON.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(`${process.env.MJML_HOME}/node_modules/`)
const loaded = require('mjml')
const mjml2html = loaded.default ?? loaded
const [file, runs] = process.argv.slice(2)
const source = readFileSync(file, 'utf8')
// Names what is wrong with the document instead of leaving it out.
const options = { validationLevel: 'soft' }

let result = await mjml2html(source, options)
const seconds = []
const before = process.cpuUsage()
for (let run = 0; run < Number(runs); run += 1) {
  const started = process.hrtime.bigint()
  result = await mjml2html(source, options)
  seconds.push(Number(process.hrtime.bigint() - started) / 1e9)
}
const used = process.cpuUsage(before)
const log = console.log
console.log = () => {}
const minified = await mjml2html(source, { ...options, minify: true, minifyOptions: { minifyCss: false } })
console.log = log
process.stdout.write(
  JSON.stringify({
    version: require('mjml/package.json').version,
    seconds,
    processor: (used.user + used.system) / 1e6 / Number(runs),
    html: result.html,
    minified: minified.html,
    errors: result.errors.map((error) => error.formattedMessage),
  }),
)
