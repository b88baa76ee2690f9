/**
 * In what the contract differs from Keystone's document for an operation, such that a client could notice. A body may
 * admit more than Keystone does, and an answer may say less than Keystone might.
 */
import { NOTHING, OTHERS, UNDESCRIBED, type Facts, type Said } from './keystone-facts.ts'

/** `null|string 1..64, required`; `nothing` for what is not said. */
function printed(said: Said | undefined): string {
  if (!said) return NOTHING
  const { types, least, most, isRequired } = said
  const lengths = least === undefined && most === undefined ? '' : ` ${least ?? ''}..${most ?? ''}`
  return `${types.join('|') || 'anything'}${lengths}${isRequired ? ', required' : ''}`
}

/** The type of which a value in JSON is, or the type itself. */
function typeOf(type: string): string {
  if (/^[a-z]+$/.test(type) && !['true', 'false', 'null'].includes(type)) return type
  const value: unknown = JSON.parse(type)
  return value === null ? 'null' : typeof value
}

/** Whether every value of some types is one of others. */
function areWithin(types: readonly string[], others: readonly string[]): boolean {
  if (others.length === 0) return true
  return types.length > 0 && types.every((type) => others.includes(type) || others.includes(typeOf(type)))
}

/** Whether whatever Keystone takes is taken here. */
function admitsAll(ours: Said, theirs: Said): boolean {
  if (theirs.types.includes(NOTHING)) return true
  const { least = 0, most = Infinity } = ours
  return (
    areWithin(theirs.types, ours.types) &&
    least <= (theirs.least ?? 0) &&
    most >= (theirs.most ?? Infinity) &&
    (theirs.isRequired || !ours.isRequired)
  )
}

/** Whether a client of Keystone notices nothing where both say something. */
function isCompatible(place: string, ours: Said, theirs: Said): boolean {
  if (place.startsWith('body ')) return admitsAll(ours, theirs)
  if (place.startsWith('answer ')) return areWithin(ours.types, theirs.types)
  return printed(ours) === printed(theirs)
}

/** Whether a member is one of those that the other side has without a name. */
function isAmongOthers(place: string, said: Said, facts: Facts): boolean {
  const others = facts.get(`${place.slice(0, place.lastIndexOf('/'))}/${OTHERS}`)
  return others !== undefined && areWithin(said.types, others.types)
}

/** Whether a client of Keystone notices nothing of this place. */
function isSame(place: string, theirs: Facts, ours: Facts): boolean {
  const [their, our] = [theirs.get(place), ours.get(place)]
  if (their && our) return isCompatible(place, our, their)
  // Of other members, only that this service refuses them is noticed.
  if (place.endsWith(OTHERS)) return their !== undefined || !place.startsWith('body ')
  if (their) return isAmongOthers(place, their, ours)
  const isIgnored = place.startsWith('body ') && our?.types.length === 0 && !our.isRequired
  return isIgnored || (our !== undefined && isAmongOthers(place, our, theirs))
}

/** Whether a difference leaves nothing to compare below it. */
function isWhole(theirs: Said | undefined, ours: Said | undefined): boolean {
  return !theirs || !ours || ours.most === 0 || !theirs.types.some((type) => areWithin([type], ours.types))
}

/** The differences, as lines: the place, what Keystone says, and what the contract does. */
export function differencesOf(theirs: Facts, ours: Facts): string[] {
  const isUndescribed = theirs.get('answer ')?.types.includes(UNDESCRIBED) === true
  const places = [...new Set([...theirs.keys(), ...ours.keys()])]
    .filter((place) => !(isUndescribed && place.startsWith('answer ')))
    .toSorted()
  const whole: string[] = []
  return places.flatMap((place) => {
    if (whole.some((above) => place.startsWith(`${above}/`)) || isSame(place, theirs, ours)) return []
    const [their, our] = [theirs.get(place), ours.get(place)]
    if (isWhole(their, our)) whole.push(place)
    return [`${place}: ${printed(their)} → ${printed(our)}`]
  })
}
