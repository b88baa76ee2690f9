/**
 * Times in the format that the service stores and compares: UTC without a zone designator, always 26 characters with
 * six fractional digits, so that strings sort in the order of the times.
 */

const MINUTE = 60_000
/** A day in milliseconds. */
export const DAY = 86_400_000

/** The last formatted second, up to the decimal point. Every request formats the current time, so it is cached. */
let last = { second: Number.NaN, text: '' }

/**
 * Formats the time `milliseconds` after the Unix epoch as `2026-11-22T00:15:50.123000`. The format is guaranteed for
 * the years 0001 to 9999. Throws RangeError for a time outside the range of `Date`.
 */
export function formatTime(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000)
  if (second !== last.second) last = { second, text: new Date(second * 1000).toISOString().slice(0, -4) }
  return `${last.text}${String(Math.trunc(milliseconds - second * 1000)).padStart(3, '0')}000`
}

/** Converts a time in the format of {@link formatTime} to milliseconds after the Unix epoch, dropping microseconds. */
export const millisecondsOf = (time: string): number => Date.parse(`${time.slice(0, 23)}Z`)

/** Returns the time `seconds` after `time`, both in the format of {@link formatTime}. */
export const later = (time: string, seconds: number): string => formatTime(millisecondsOf(time) + seconds * 1000)

/**
 * Reports whether less than `seconds` have passed since `time`. It is false for a `time` after `now`, so that a clock
 * that was set back does not extend a limit.
 */
export function isWithin(seconds: number, time: string, now: string): boolean {
  const age = millisecondsOf(now) - millisecondsOf(time)
  return age >= 0 && age < seconds * 1000
}

/** A date, a time of day and a zone, each in the extended (with separators) or the basic format of ISO 8601. */
const whole = /^(?<date>[\d-]+)(?:[T ](?<time>\d[\d:.,]*)(?<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?$/
const fullDates = [/^(\d{4})-(\d{1,2})-(\d{1,2})$/, /^(\d{4})(\d{2})(\d{2})$/]
const partialDates = [/^(\d{4})$/, /^(\d{4})-(\d{1,2})$/]
const timesOfDay = [/^(\d{2})(?::(\d{2})(?::(\d{1,2})(?:[.,](\d+))?)?)?$/, /^(\d{2})(\d{2})(?:(\d{2})(?:[.,](\d+))?)?$/]

function groupsOf(patterns: readonly RegExp[], text: string): readonly (string | undefined)[] | null {
  const match = patterns.map((pattern) => pattern.exec(text)).find((found) => found !== null)
  return match ? match.slice(1) : null
}

/** Returns midnight of a calendar day in milliseconds after the Unix epoch, or null if the day does not exist. */
function startOfDay([year, month = '1', day = '1']: readonly (string | undefined)[]): number | null {
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  const exists = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) && Number(year) > 0
  return exists ? date.getTime() : null
}

function millisecondsOfDay([hour, minute = '0', second = '0']: readonly (string | undefined)[]): number | null {
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null
  return ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000
}

/** Returns the offset of a zone in minutes east of UTC, or null for an offset of 24 hours or more. */
function minutesOf(zone: string): number | null {
  if (zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || 0)
  if (minutes >= 24 * 60) return null
  return zone.startsWith('-') ? -minutes : minutes
}

/**
 * Parses an ISO 8601 time and converts it to UTC in the format of {@link formatTime}. Returns null for text outside the
 * accepted grammar, and for times outside the years 0001 to 9999 after the conversion.
 *
 * The grammar accepts `YYYY`, `YYYY-MM`, and full dates, optionally followed by `T` or a space, `hh[:mm[:ss[.f]]]` and
 * directly `Z` or `±hh[[:]mm]`; the basic formats `YYYYMMDD` and `hhmm[ss[.f]]`; and one-digit months, days and seconds
 * between separators. A missing month or day is 1, missing parts of the time of day are 0, a missing zone is UTC, and
 * the fraction is truncated to microseconds. It is the grammar of the iso8601 package, which Barbican uses, without the
 * incomplete times that the package tolerates (`T12:3`, `T12:34.5`).
 */
export function parseTime(text: string): string | null {
  const { date = '', time, zone = 'Z' } = whole.exec(text)?.groups ?? {}
  const dateParts = groupsOf(time === undefined ? [...fullDates, ...partialDates] : fullDates, date)
  const timeParts = groupsOf(timesOfDay, time ?? '00')
  const offset = minutesOf(zone)
  if (!dateParts || !timeParts || offset === null) return null
  const midnight = startOfDay(dateParts)
  const sinceMidnight = millisecondsOfDay(timeParts)
  if (midnight === null || sinceMidnight === null) return null
  const moment = new Date(midnight + sinceMidnight - offset * MINUTE)
  if (moment.getUTCFullYear() < 1 || moment.getUTCFullYear() > 9999) return null
  const fraction = (timeParts[3] ?? '').slice(0, 6).padEnd(6, '0')
  return formatTime(moment.getTime()).slice(0, -6) + fraction
}
