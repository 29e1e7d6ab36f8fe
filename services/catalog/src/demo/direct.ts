import { demoProducts, demoProviders } from '@yunshi/contracts/demo-world';
import { each, exhibit, once, sku, type Exhibit } from './shelf.ts';

const by = demoProviders.direct;
const { migration, website, filing, training } = demoProducts;
const guide =
  '付款后请提交需求单，工程师在 1 个工作日内联系确认；完成后在交付中心验收。\n\nSubmit your requirement after paying; accept the work in the delivery centre.';

export const directShelf: readonly Exhibit[] = [
  exhibit(
    migration,
    by,
    { categoryId: 'services', deliveryType: 'human_service' },
    {
      nameEn: 'Cloud Migration',
      summary: '自营工程师把机房或其他云上的业务平滑迁入，停机时间以分钟计。',
      summaryEn: 'Our engineers move what you run elsewhere, with minutes of downtime.',
      description: `## 服务内容
- 资产盘点、风险评估、迁移方案与回退预案。
- 主机、数据库、文件迁移，增量同步后切换。
- 迁移后 7 天值守。

> In English: inventory, plan, rehearsal, switch, and a week on call afterwards.`,
      guide,
    },
    [sku(migration.skus.perServer, '按服务器', each(800, 1, 500)), sku(migration.skus.assessment, '迁移评估', once(3_000))],
    { sold: 342, publishedDaysAgo: 1_500 },
  ),
  exhibit(
    website,
    by,
    { categoryId: 'websites', deliveryType: 'human_service' },
    {
      nameEn: 'Company Website',
      summary: '从设计到上线的企业官网，适配手机，后台可自行更新。',
      summaryEn: 'A company site from design to launch, good on phones, editable by yourself.',
      description: `## 服务内容
- 模板版 5 个工作日，定制版 20 个工作日。
- 响应式设计，含产品、新闻、留言模块。
- 一年内容维护支持。

> In English: five working days from a template, twenty for a design of your own.`,
      guide,
    },
    [sku(website.skus.template, '模板版', once(1_980)), sku(website.skus.custom, '定制版', once(12_800))],
    { sold: 815, publishedDaysAgo: 1_320 },
  ),
  exhibit(
    filing,
    by,
    { categoryId: 'websites', deliveryType: 'human_service' },
    {
      nameEn: 'ICP Filing Assistance',
      summary: '网站备案材料审核与提交协助，一次没过免费再办。',
      summaryEn: 'We check and hand in the papers of your ICP filing; if it is sent back, once more for free.',
      description: `## 服务内容
- 材料清单、真实性核验指导、幕布拍照说明。
- 初审代提交、驳回修改跟进。

> In English: guidance through the ICP filing of a website.`,
      guide,
    },
    [sku(filing.skus.once, '单个网站', each(299, 1, 20))],
    { sold: 1_964, publishedDaysAgo: 1_410 },
  ),
  exhibit(
    training,
    by,
    { categoryId: 'services', deliveryType: 'human_service' },
    {
      nameEn: 'Cloud Operations Training',
      summary: '两天实战训练：监控、备份、故障演练，结业有考核。',
      summaryEn: 'Two days of practice: monitoring, backups, drills, and an exam at the end.',
      description: `## 课程内容
- 监控告警与日志排查。
- 备份恢复与演练。
- 成本优化与权限治理。

> In English: hands-on, in groups of at most twenty.`,
      guide,
    },
    [sku(training.skus.person, '公开课（按人）', each(1_280, 1, 20)), sku(training.skus.group, '企业专场（20 人）', once(19_800))],
    { sold: 128, publishedDaysAgo: 330 },
  ),
];
