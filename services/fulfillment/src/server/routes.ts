import { callerOf } from '@yunshi/http/caller';
import { answer } from '@yunshi/http/answer';
import { idempotencyOf } from '@yunshi/http/idempotency';
import type { Routes } from '@yunshi/http/server';
import { InstanceId, ProductId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import { z } from 'zod';
import { serverPolicy } from '../cloud/policy.ts';
import { CloudAway, type Shelf } from '../cloud/shelf.ts';
import type { InstanceBook } from '../instance/instances.ts';
import { Problem } from '../problems.ts';
import { operateServerOf, type Operating } from './handlers.ts';
import { operationKinds, serverFlow } from './server.ts';

/** What a buyer does with the server of an image, and what there is to choose from before buying one. */

const Name = z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/);
const Named = z.object({ id: z.string(), name: z.string() });
const Range = z.object({ min: z.int(), max: z.int() });

const ShownOffers = z
  .object({
    region: z.string(),
    regions: z.array(Named),
    zones: z.array(Named),
    machine_types: z.array(
      z.object({
        zone: z.string(),
        machine_type: z.string(),
        family: z.string(),
        cpu: z.int(),
        memory_gb: z.number(),
        sold_out: z.boolean(),
        price: z.int().meta({ description: 'Fen a month, without disks and bandwidth' }),
      }),
    ),
    images: z.array(Named).meta({ description: 'Of this product' }),
    disks: z.array(z.object({ type: z.string(), name: z.string(), system_gb: Range, data_gb: Range })),
    disk_step_gb: z.int(),
    data_disks_max: z.int(),
    bandwidth: z.object({ billings: z.array(z.string()), mbps_max: z.int() }),
    security_groups: z.array(Named),
    login_methods: z.array(z.enum(['password', 'ssh_key'])),
    months: z.array(z.int()),
  })
  .meta({ id: 'ServerOffers' });

const Accepted = z
  .object({ instance_id: InstanceId, state: z.enum(serverFlow.states), operation: z.enum(operationKinds) })
  .meta({ id: 'ServerOperation', description: 'Taken in; the instance shows when it is done' });
const ReinstallRequest = z.strictObject({
  image_id: Name.optional().meta({ description: 'Another image of the same product; the one that is installed, if left out' }),
});

export type ServerRouteParts = {
  readonly core: Core;
  readonly shelf: Shelf | undefined;
  readonly instances: Pick<InstanceBook, 'find'>;
};

const Params = z.object({ instance_id: InstanceId });
const summaries = { start: 'Start the server 开机', stop: 'Stop the server 关机' } as const;
const operating = Problem.codes('not-found', 'server-not-usable', 'server-busy', 'server-not-in-state');

export const serverRoutes = ({ core, shelf, instances }: ServerRouteParts): Routes => {
  const operate = (ask: Operating, request: Parameters<typeof idempotencyOf>[0]) =>
    core.write(operateServerOf, ask, idempotencyOf(request));
  return async (app) => {
    app.get(
      '/v1/server-offers',
      {
        config: { access: ['buyer'], problems: Problem.codes('servers-not-offered', 'region-not-offered', 'cloud-not-available') },
        schema: {
          summary: 'What servers an image can be bought with',
          description: 'The offers of one region: the first one, if none is named.',
          querystring: z.strictObject({ product_id: ProductId, region: Name.optional() }),
          response: { 200: ShownOffers },
        },
      },
      async (request) => offersOf(shelf, request.query.product_id, request.query.region),
    );

    for (const kind of ['start', 'stop'] as const)
      app.post(
        `/v1/instances/:instance_id/server/${kind}`,
        {
          config: { access: ['buyer'], idempotency: 'required', problems: operating },
          schema: { summary: summaries[kind], params: Params, response: { 202: Accepted } },
        },
        async (request, reply) =>
          answer(reply, await operate({ accountId: callerOf(request).accountId, instanceId: request.params.instance_id, kind }, request)),
      );

    app.post(
      '/v1/instances/:instance_id/server/reinstall',
      {
        config: {
          access: ['buyer'],
          idempotency: 'required',
          problems: [...operating, ...Problem.codes('image-not-of-product', 'cloud-not-available')],
        },
        schema: {
          summary: 'Install the server anew 重装系统',
          description: 'Everything on its system disk is lost, and it gets a new password.',
          params: Params,
          body: ReinstallRequest,
          response: { 202: Accepted },
        },
      },
      async (request, reply) => {
        const { accountId } = callerOf(request);
        const { instance_id: instanceId } = request.params;
        const { image_id: imageId } = request.body;
        const instance = imageId === undefined ? undefined : await instances.find(accountId, instanceId);
        if (imageId !== undefined && instance?.server && shelf) {
          const { images } = await atTheCloud(() => shelf.offers(instance.server?.configuration.region ?? '', instance.productId));
          const offered = images.map(({ id }) => id);
          if (!offered.includes(imageId)) throw notOfProduct(offered);
        }
        return answer(reply, await operate({ accountId, instanceId, kind: 'reinstall', imageId }, request));
      },
    );
  };
};

const notOfProduct = (offered: readonly string[]) => {
  const detail = `The product has the images ${offered.join(', ')}.`;
  const { remedy } = Problem.entries['image-not-of-product'] ?? { remedy: '' };
  return new Problem('image-not-of-product', {
    detail,
    errors: [{ in: 'body', field: '/image_id', detail, remedy }],
    members: { offered },
  });
};

async function atTheCloud<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof CloudAway) throw new Problem('cloud-not-available', { detail: error.message });
    throw error;
  }
}

async function offersOf(shelf: Shelf | undefined, productId: ProductId, wanted: string | undefined): Promise<z.infer<typeof ShownOffers>> {
  if (shelf === undefined) throw new Problem('servers-not-offered');
  const regions = await atTheCloud(() => shelf.regions());
  const region = wanted ?? regions[0]?.id;
  if (region === undefined || !regions.some(({ id }) => id === region))
    throw new Problem('region-not-offered', { detail: `Offered are ${regions.map(({ id }) => id).join(', ')}.` });
  const { zones, machines, images, securityGroups } = await atTheCloud(() => shelf.offers(region, productId));
  const range = ([min, max]: readonly [number, number]) => ({ min, max });
  return {
    region,
    regions: [...regions],
    zones: [...zones],
    machine_types: machines.map(({ zone, type, family, cpu, memoryGb, isSoldOut, price }) => ({
      zone,
      machine_type: type,
      family,
      cpu,
      memory_gb: memoryGb,
      sold_out: isSoldOut,
      price,
    })),
    images: [...images],
    disks: serverPolicy.disks.map(({ type, name, system, data }) => ({ type, name, system_gb: range(system), data_gb: range(data) })),
    disk_step_gb: serverPolicy.diskStepGb,
    data_disks_max: serverPolicy.dataDisksMax,
    bandwidth: { billings: [...serverPolicy.billings], mbps_max: serverPolicy.bandwidthMbpsMax },
    security_groups: [...securityGroups],
    login_methods: ['password', 'ssh_key'],
    months: [...serverPolicy.months],
  };
}
