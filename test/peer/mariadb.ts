/** Starts a separate MariaDB: its data and its socket are in the given folder, and it opens no port. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { needPackages } from './packages.ts'
import { run, runToSuccess, startProcess, waitUntil } from './process.ts'

export interface MariaDb {
  /** Creates the database if it does not exist. */
  create(name: string): Promise<void>
  /** Returns the SQLAlchemy URL of a database. */
  address(name: string): string
  stop(): Promise<void>
}

/** The maximum length of a socket's path on Linux: sun_path in unix(7), less the terminating null byte. */
const LONGEST_SOCKET_PATH = 107

/** Starts MariaDB in `folder`, and initializes an empty one. Throws if it is not ready within a minute. */
export async function startMariaDb(folder: string): Promise<MariaDb> {
  const socket = join(folder, 'socket')
  if (Buffer.byteLength(socket) > LONGEST_SOCKET_PATH) throw new Error(`${socket} is too long for a socket`)
  // The core packages contain the programs without a system service.
  await needPackages(['mariadb-server-core', 'mariadb-client-core', 'python3-pymysql'])
  const data = join(folder, 'data')
  const user = `--user=${userInfo().username}`
  if (!existsSync(data)) {
    await mkdir(folder, { recursive: true })
    await runToSuccess('mariadb-install-db', [
      '--no-defaults',
      user,
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ])
  }
  const server = startProcess(
    'mariadbd',
    [
      '--no-defaults',
      user,
      `--datadir=${data}`,
      `--socket=${socket}`,
      `--pid-file=${join(folder, 'pid')}`,
      '--skip-networking',
      '--max-connections=400',
      // Faster commits; losing transactions in a crash does not matter here.
      '--innodb-flush-log-at-trx-commit=0',
    ],
    { log: join(folder, 'mariadb.log') },
  )
  const query = (text: string) => ['--no-defaults', `--socket=${socket}`, '--user=root', `--execute=${text}`]
  await waitUntil(server, async () => (await run('mariadb', query('select 1'))).status === 0, 60)
  return {
    create: async (name) => {
      await runToSuccess('mariadb', query(`create database if not exists ${name} character set utf8`))
    },
    address: (name) => `mysql+pymysql://root@localhost/${name}?unix_socket=${socket}`,
    stop: () => server.stop(),
  }
}
