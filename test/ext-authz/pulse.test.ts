/** When the process counts as having stood still. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createPulse } from '../../ext-authz/pulse.ts'

let now = 0
beforeEach(() => {
  now = 0
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** The clock goes on, and the timer with it. */
function run(ms: number): void {
  for (let step = 0; step < ms; step += 10) {
    now += 10
    vi.advanceTimersByTime(10)
  }
}

it('a process that runs has not halted', () => {
  const pulse = createPulse(() => now)
  run(2000)
  expect(pulse.hasHalted()).toBe(false)
  pulse.stop()
})

it('a turn of the event loop of 300 ms is a busy one, a longer one is a halt', () => {
  const pulse = createPulse(() => now)
  now += 300
  expect(pulse.hasHalted()).toBe(false)
  now += 1
  expect(pulse.hasHalted()).toBe(true)
  pulse.stop()
})

it('a halt is still known when the timer comes first, and over once what piled up was read', () => {
  const pulse = createPulse(() => now)
  now += 1000
  vi.advanceTimersByTime(50)
  expect(pulse.hasHalted()).toBe(true)
  run(200)
  expect(pulse.hasHalted()).toBe(false)
  pulse.stop()
})

it('a halt is still known when the machine is so busy that what piled up is read long after the timer', () => {
  const pulse = createPulse(() => now)
  now += 1000
  vi.advanceTimersByTime(50)
  now += 250
  expect(pulse.hasHalted()).toBe(true)
  vi.advanceTimersByTime(50)
  expect(pulse.hasHalted()).toBe(false)
  pulse.stop()
})
