/** What the log says of issuers, over real HTTP. */
import { expect, it } from 'vitest'
import { tellOfIssuers } from '../../../cli/service/tell-of-issuers.ts'
import { createFetchKeys } from '../../../stores/remote/fetch-keys.ts'
import { json, startIssuer } from '../../support/issuer-server.ts'

it('an issuer that fails is told of once, and again when it is back; its query is not told', async () => {
  const issuer = await startIssuer()
  const told: string[][] = []
  const telling = tellOfIssuers(createFetchKeys(), {
    issuerAway: (...line) => told.push(['away', ...line]),
    issuerBack: (...line) => told.push(['back', ...line]),
  })
  const from = { kind: 'url', url: `${issuer.url}?key=secret`, allowPrivateAddresses: false } as const
  const fetched = () => telling(from, () => {})
  await expect(fetched()).resolves.toEqual({ keys: [] })
  issuer.answer(json({}, 500))
  await expect(fetched()).rejects.toThrow('the issuer answered 500')
  issuer.answer(json({ no: 'keys' }))
  await expect(fetched()).rejects.toThrow('no JWKS')
  issuer.publish([])
  await fetched()
  await fetched()
  issuer.answer(json({ no: 'keys' }))
  await expect(fetched()).rejects.toThrow()
  await issuer.close()
  expect(told).toEqual([
    ['away', issuer.url, 'the issuer answered 500'],
    ['back', issuer.url],
    ['away', issuer.url, 'no JWKS: an object with a list of keys'],
  ])
})
