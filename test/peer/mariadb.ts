/** A MariaDB of our own: its data and its socket lie in the given folder and it opens no port. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { needPackages } from './packages.ts'
import { run, runToSuccess, startProcess, waitUntil } from './process.ts'

export interface MariaDb {
  /** Makes the database if it does not exist. */
  create(name: string): Promise<void>
  /** The address of a database in SQLAlchemy's notation. */
  address(name: string): string
  stop(): Promise<void>
}

/** The longest path that Linux takes for a socket: sun_path in unix(7), less its closing zero. */
const LONGEST_SOCKET_PATH = 107

/** Starts MariaDB in `folder`, which is filled first when it is empty. Throws when it does not come up in a minute. */
export async function startMariaDb(folder: string): Promise<MariaDb> {
  const socket = join(folder, 'socket')
  if (Buffer.byteLength(socket) > LONGEST_SOCKET_PATH) throw new Error(`${socket} is too long for a socket`)
  // The core packages hold the programs without a service that would start with the system.
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
      // A lost transaction after a crash does not matter here, the time of each commit does.
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
