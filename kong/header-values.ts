/** Whether texts can stand in a header: Kong would write a line break through, as a header more. */

/** Anything that is not text of one header line (RFC 9110 §5.5). */
const NOT_A_VALUE = /[^\t\x20-\x7e\x80-\uffff]/

/** Throws, naming the header and not its value, when one is not one line of text. */
export function assertValues(headers: Readonly<Record<string, string>>): void {
  for (const name in headers) {
    if (NOT_A_VALUE.test(headers[name] ?? ''))
      throw new Error(`the value for the header ${name} is not one line of text`)
  }
}
