/** A process of its own that decides what a file asks, and prints the upstreams: `ask-alone FILE.json`. */
import { readFileSync } from 'node:fs'
import { gateAtNoon } from '../conformance/gate-at-noon.ts'
import { policyOf } from '../support/gate.ts'
import { throughEnvoysAdapter } from './adapters.ts'

const { text, files, asked } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const ask = throughEnvoysAdapter(gateAtNoon(policyOf(text, files)).gate)
const upstreams: (string | undefined)[] = []
for (const [path, headers] of asked) upstreams.push(await ask(path, headers))
process.stdout.write(JSON.stringify(upstreams))
