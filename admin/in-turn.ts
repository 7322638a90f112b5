/** Questions that may wait for somebody outside: a few at a time, so that many of them leave room for the requests of gateways. */

const AT_A_TIME = 100

/** The answers in the order of `names`. Rejects as `ask` does. */
export async function inTurn<T>(names: readonly string[], ask: (name: string) => Promise<T>): Promise<readonly T[]> {
  const answers: T[] = []
  for (let from = 0; from < names.length; from += AT_A_TIME) {
    answers.push(...(await Promise.all(names.slice(from, from + AT_A_TIME).map(ask))))
  }
  return answers
}
