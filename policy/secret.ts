/** Reads a secret from where the policy says that it is. Faults never quote it. */
import type { Outside, Resolved } from './outside.ts'
import type { PolicyPath } from './problem.ts'
import type { SecretReference } from './schema/secrets.ts'

/** The text of the environment variable, or of the file less one newline at its end. `path` leads to the reference. */
export function readSecret(
  { env: name, file }: SecretReference,
  path: PolicyPath,
  { read, env }: Outside,
): Resolved<string> {
  if (name !== undefined) {
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (value !== undefined) return { value }
    return { fault: { path: [...path, 'env'], message: `the environment variable ${name} is not set` } }
  }
  const content = read(file ?? '')
  if ('text' in content) return { value: content.text.replace(/\r?\n$/, '') }
  return { fault: { path: [...path, 'file'], message: `the secret file ${content.failure}` } }
}
