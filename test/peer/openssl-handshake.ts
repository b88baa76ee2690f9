/** A TLS handshake between `openssl s_server` and `openssl s_client`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { run } from './process.ts'

/** The names of PEM files in a folder. */
export interface Credentials {
  /** For the host `localhost`. */
  readonly certificate: string
  readonly key: string
  readonly intermediates: string
  readonly root: string
}

/**
 * Throws unless a client that trusts the root accepts the server's certificate for `localhost`, and for no other host.
 */
export async function handshake(folder: string, { certificate, key, intermediates, root }: Credentials): Promise<void> {
  const shown = ['-cert', certificate, '-key', key, '-cert_chain', intermediates, '-www']
  const server = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', ...shown], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  try {
    let output = ''
    server.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    while (!/ACCEPT \S+:\d+/.test(output)) await once(server.stdout, 'data')
    const port = /ACCEPT \S+:(\d+)/.exec(output)?.[1] ?? ''
    const client = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', root, '-verify_return_error']
    const good = await run('openssl', [...client, '-verify_hostname', 'localhost'], { folder })
    if (!/Verify return code: 0 \(ok\)/.test(good.stdout)) throw new Error(`no handshake: ${good.stdout}${good.stderr}`)
    const bad = await run('openssl', [...client, '-verify_hostname', 'other.example'], { folder })
    if (bad.status === 0) throw new Error('the certificate is accepted for another host')
  } finally {
    server.kill()
  }
}
