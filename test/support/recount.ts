/** Queries that compare the stored row counts with a count of all rows. */

export const countedTables = ['secrets', 'orders', 'containers', 'secret_consumers', 'container_consumers'] as const

/** Returns a query for the number `n` of projects whose stored count of a table's rows is wrong. */
export const miscounted = (table: (typeof countedTables)[number]) => `SELECT count(*) AS n FROM (
  SELECT project_id FROM (
    SELECT project_id, 1 AS one FROM ${table} UNION ALL SELECT project_id, -${table} FROM project_counts
  ) GROUP BY project_id HAVING sum(one) <> 0)`
