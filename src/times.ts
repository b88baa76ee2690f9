/**
 * Times as the service keeps and compares them: UTC without a zone, always 26 characters with six fractional digits,
 * so that the order of the strings is the order of the times.
 */

const MINUTE = 60_000
/** A day in milliseconds. */
export const DAY = 86_400_000

/** The second that was written last, up to the point: every request is written the time of. */
let last = { second: Number.NaN, text: '' }

/**
 * The time `milliseconds` after 1970-01-01 UTC as `2026-11-22T00:15:50.123000`. Promised for the years 0001 to 9999;
 * throws RangeError for what is no date at all.
 */
export function formatTime(milliseconds: number): string {
  const second = Math.floor(milliseconds / 1000)
  if (second !== last.second) last = { second, text: new Date(second * 1000).toISOString().slice(0, -4) }
  return `${last.text}${String(Math.trunc(milliseconds - second * 1000)).padStart(3, '0')}000`
}

/** Milliseconds after 1970-01-01 UTC of a time in the form of {@link formatTime}; what is below them is left out. */
export const millisecondsOf = (time: string): number => Date.parse(`${time.slice(0, 23)}Z`)

/** The time `seconds` after `time`, both in the form of {@link formatTime}. */
export const later = (time: string, seconds: number): string => formatTime(millisecondsOf(time) + seconds * 1000)

/** Whether less than `seconds` have passed since `time`. A clock that was set back must not stretch a bound: false. */
export function isWithin(seconds: number, time: string, now: string): boolean {
  const age = millisecondsOf(now) - millisecondsOf(time)
  return age >= 0 && age < seconds * 1000
}

/** A date, a time of day and a zone, each in the forms that ISO 8601 calls extended (with separators) and basic. */
const whole = /^(?<date>[\d-]+)(?:[T ](?<time>\d[\d:.,]*)(?<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?$/
const fullDates = [/^(\d{4})-(\d{1,2})-(\d{1,2})$/, /^(\d{4})(\d{2})(\d{2})$/]
const partialDates = [/^(\d{4})$/, /^(\d{4})-(\d{1,2})$/]
const timesOfDay = [/^(\d{2})(?::(\d{2})(?::(\d{1,2})(?:[.,](\d+))?)?)?$/, /^(\d{2})(\d{2})(?:(\d{2})(?:[.,](\d+))?)?$/]

function groupsOf(patterns: readonly RegExp[], text: string): readonly (string | undefined)[] | null {
  const match = patterns.map((pattern) => pattern.exec(text)).find((found) => found !== null)
  return match ? match.slice(1) : null
}

/** Midnight of a calendar day in milliseconds, or null when the calendar has no such day. */
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

/** Minutes east of UTC, or null for an offset of a day or more. */
function minutesOf(zone: string): number | null {
  if (zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || 0)
  if (minutes >= 24 * 60) return null
  return zone.startsWith('-') ? -minutes : minutes
}

/**
 * Any time of the accepted ISO 8601 grammar in the form of {@link formatTime}, converted to UTC; null for everything
 * else, also for times that are outside the years 0001 to 9999 once they are converted.
 *
 * Accepted: `YYYY`, `YYYY-MM`, and full dates, which may be followed by `T` or a space, `hh[:mm[:ss[.f]]]` and directly
 * `Z` or `±hh[[:]mm]`; the basic forms `YYYYMMDD` and `hhmm[ss[.f]]`; one-digit month, day and second between
 * separators. What is missing is 1 or 0, no zone is UTC, and a fraction is cut after microseconds. The set is that of
 * the iso8601 package that Barbican uses, except that its guesses at broken times (`T12:3`, `T12:34.5`) are refused.
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
