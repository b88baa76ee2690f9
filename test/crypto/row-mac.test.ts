/** The MAC of a row: known answers, what a null column means, and what changes it. */
import { describe, expect, it } from 'vitest'
import { deriveRowKey, isRowMac, rowMac, type ColumnValue } from '../../src/crypto/row-mac.ts'
import vectors from '../vectors/row-mac.json' with { type: 'json' }

type Row = Readonly<Record<string, ColumnValue>>

const material = await crypto.subtle.importKey('raw', Uint8Array.fromHex(vectors.material), 'HKDF', false, [
  'deriveKey',
])

const valueOf = (value: unknown): ColumnValue =>
  typeof value === 'object' && value !== null
    ? Uint8Array.from((value as { readonly bytes: number[] }).bytes)
    : (value as ColumnValue)

const contentOf = (table: string, row: Row) => {
  const columns = Object.keys(row).toSorted()
  return { table, columns, values: columns.map((name) => row[name] ?? null) }
}

const rows = vectors.rows.map(({ row, ...rest }) => ({
  ...rest,
  row: Object.fromEntries(Object.entries(row).map(([name, value]) => [name, valueOf(value)])) as Row,
}))

describe('the MAC of a row', () => {
  it.each(rows)(
    'the MAC of a row of $table in project "$project" is the known answer',
    async ({ project, table, row, mac }) => {
      const key = await deriveRowKey(material, project)
      expect(await rowMac(key, contentOf(table, row))).toBe(mac)
      expect(await isRowMac(key, contentOf(table, row), mac)).toBe(true)
    },
  )

  it('a column that is null is left out, so that a nullable column that is added later changes no MAC', async () => {
    const key = await deriveRowKey(material, 'project')
    const row = { id: 'id', name: 'name' }
    const mac = await rowMac(key, contentOf('secrets', row))
    expect(await rowMac(key, contentOf('secrets', { ...row, later: null }))).toBe(mac)
    expect(await rowMac(key, contentOf('secrets', { ...row, later: '' }))).not.toBe(mac)
    expect(await rowMac(key, contentOf('secrets', { id: 'id', name: null }))).not.toBe(mac)
  })

  it('no two rows share a MAC: values, their types, names of columns, tables and projects all count', async () => {
    const contents = [
      contentOf('secrets', { a: '1' }),
      contentOf('secrets', { a: 1 }),
      contentOf('secrets', { a: true }),
      contentOf('secrets', { a: Uint8Array.of(1) }),
      contentOf('secrets', { b: '1' }),
      contentOf('secrets', { a: '1', b: '1' }),
      contentOf('secrets', { a: '1","b","s1' }),
      contentOf('orders', { a: '1' }),
      contentOf('secrets', {}),
    ]
    const keys = await Promise.all(['one', 'other', ''].map((project) => deriveRowKey(material, project)))
    const macs = await Promise.all(keys.flatMap((key) => contents.map((content) => rowMac(key, content))))
    expect(new Set(macs).size).toBe(macs.length)
  })

  it.each(['', 'x', null, 7, 'A'.repeat(43), `${'A'.repeat(43)}=`, `${'A'.repeat(42)}B=`])(
    'a text that is not the MAC is refused: %j',
    async (mac) => {
      const key = await deriveRowKey(material, 'project')
      expect(await isRowMac(key, contentOf('secrets', { a: '1' }), mac)).toBe(false)
    },
  )
})
