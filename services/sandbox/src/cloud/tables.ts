import { bigint, bigserial, index, integer, jsonb, pgTable, text, timestamp, uniqueIndex } from 'drizzle-orm/pg-core';

// What the played cloud remembers. Times are business time.

const time = (name: string) => timestamp(name, { withTimezone: true });

export const cloudServers = pgTable(
  'cloud_servers',
  {
    serverId: text('server_id').primaryKey(),
    clientToken: text('client_token').notNull(),
    /** The request that made it: the same token with another one is refused. */
    asked: text('asked').notNull(),
    name: text('name').notNull(),
    region: text('region').notNull(),
    zone: text('zone').notNull(),
    machineType: text('machine_type').notNull(),
    imageId: text('image_id').notNull(),
    systemDisk: jsonb('system_disk').$type<Disk>().notNull(),
    dataDisks: jsonb('data_disks').$type<readonly Disk[]>().notNull(),
    bandwidthMbps: integer('bandwidth_mbps').notNull(),
    securityGroupIds: jsonb('security_group_ids').$type<readonly string[]>().notNull(),
    tags: jsonb('tags').$type<readonly Tag[]>().notNull(),
    hostName: text('host_name').notNull(),
    /** What lets somebody in. A real cloud would not show it. */
    password: text('password'),
    userData: text('user_data'),
    privateIp: text('private_ip').notNull(),
    publicIp: text('public_ip'),
    createdAt: time('created_at').notNull(),
    /** When it runs, or is found not to. */
    readyAt: time('ready_at').notNull(),
    launch: text('launch', { enum: ['works', 'fails'] }).notNull(),
    power: text('power', { enum: ['on', 'off'] }).notNull(),
    operation: text('operation', { enum: ['RunInstances', 'StartInstances', 'StopInstances', 'ResetInstance'] }).notNull(),
    operationEndsAt: time('operation_ends_at').notNull(),
    expiresAt: time('expires_at').notNull(),
    /** In the recycle bin since its owner gave it back. */
    returnedAt: time('returned_at'),
    destroyedAt: time('destroyed_at'),
    /** Fen, for all that was bought of it. */
    paid: bigint('paid', { mode: 'number' }).notNull(),
  },
  (table) => [
    uniqueIndex('cloud_servers_token').on(table.clientToken),
    index('cloud_servers_newest').on(table.createdAt),
    index('cloud_servers_tags').using('gin', table.tags),
  ],
);
export type CloudServer = typeof cloudServers.$inferSelect;
export type Disk = { readonly type: string; readonly sizeGb: number };
export type Tag = { readonly Key: string; readonly Value: string };

/** Images that the account was ever told of: one is made for each product that is asked about. */
export const cloudImages = pgTable('cloud_images', {
  imageId: text('image_id').primaryKey(),
  name: text('name').notNull(),
  product: text('product').notNull(),
});

/** What shall go wrong, and how often. */
export const cloudMishaps = pgTable('cloud_mishaps', { what: text('what').primaryKey(), remaining: integer('remaining').notNull() });

/** Every call that arrived, genuine or not, and what was said to it. */
export const cloudCalls = pgTable('cloud_calls', {
  id: bigserial('id', { mode: 'number' }).primaryKey(),
  action: text('action').notNull(),
  region: text('region').notNull(),
  request: text('request').notNull(),
  answer: text('answer').notNull(),
  at: time('at').notNull(),
});
