/** The credentials of a demo, as headers. */
import type { DemoKey, DemoToken } from '../credentials.ts'
import type { Stack } from '../stack.ts'

export const key = ({ credentials }: Stack, name: DemoKey) => ({ 'x-api-key': credentials.keys[name] })

export const bearer = ({ credentials }: Stack, name: DemoToken) => ({
  authorization: `Bearer ${credentials.tokens[name]}`,
})
