/** Where the package's own files (protos, reference configurations) are found, from the sources and from the build alike. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

function findPackageRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findPackageRoot(dirname(folder))
}

/** The folder that holds tenantgate's `package.json`, as an absolute path. */
export const packageRoot = findPackageRoot(dirname(fileURLToPath(import.meta.url)))
