import { demoProducts, demoProviders } from '@yunshi/contracts/demo-world';
import { byMonth, byYear, exhibit, once, seatsByMonth, seatsByYear, sku, trial, type Exhibit } from './shelf.ts';

const by = demoProviders.fanying;
const { helpDesk, crm, office, contracts, knowledgeBase, erp, fax } = demoProducts;

export const fanyingShelf: readonly Exhibit[] = [
  exhibit(
    helpDesk,
    by,
    { categoryId: 'customers', deliveryType: 'saas' },
    {
      nameEn: 'Fanying Help Desk',
      summary: '网页、小程序、电话多渠道统一接待，机器人先答、人工兜底，工单全程可追踪。',
      summaryEn: 'One desk for web chat, mini programs and calls: a bot answers first, people take over, every ticket is traceable.',
      description: `## 产品亮点
- **全渠道接入**：网页、公众号、小程序、电话、邮件统一到一个工作台。
- **机器人先答**：导入常见问题即可上线，复杂问题自动转人工并带上下文。
- **工单闭环**：超时升级、满意度回访、质检评分，报表按班组下钻。

## 适合谁
日均咨询 50–5 000 条的零售、物流、教育企业。

> In English: omnichannel customer service with a bot in front, people behind it and tickets that cannot get lost.`,
      guide: `1. 购买后约一分钟开通，实例详情的「应用信息」里可以看到登录地址、管理员账号和初始密码。
2. 首次登录请修改密码，在「渠道管理」复制代码到网站即可接待访客。
3. 在「知识库」导入常见问题（支持 Excel），打开「机器人先答」。

Sign in from the instance page; change the initial password; paste the snippet from “Channels” into your site.`,
    },
    [
      trial(helpDesk.skus.trial, helpDesk.skus.basic),
      sku(helpDesk.skus.basic, '基础版（3 坐席）', byMonth(199)),
      sku(helpDesk.skus.team, '团队版（按坐席）', seatsByMonth(89, 5)),
      sku(helpDesk.skus.yearly, '旗舰版（20 坐席）', byYear(9_800)),
    ],
    { sold: 3_286, publishedDaysAgo: 1_210 },
  ),
  exhibit(
    crm,
    by,
    { categoryId: 'customers', deliveryType: 'saas' },
    {
      nameEn: 'Fanying CRM',
      summary: '线索、商机、合同、回款一条线，公海自动回收，销售漏斗一目了然。',
      summaryEn: 'Leads, deals, contracts and receivables in one line, with a funnel that everybody understands.',
      description: `## 产品亮点
- **线索公海**：超期未跟进自动回收，分配规则按区域、行业配置。
- **商机推进**：阶段、金额、赢率加权预测，周报自动生成。
- **移动外勤**：拜访签到、录音纪要，离线也能填写。

> In English: a CRM for teams of 5 to 500, with a shared pool of leads that takes back what nobody follows up.`,
      guide: `1. 管理员登录后在「组织」导入成员，人数不超过所购份数。
2. 在「流程」选择行业模板，十分钟完成初始化。
3. 成员扫描工作台二维码安装手机端。`,
    },
    [
      trial(crm.skus.trial, crm.skus.seats),
      sku(crm.skus.seats, '标准版（按人按月）', seatsByMonth(39, 5)),
      sku(crm.skus.seatsYearly, '标准版（按人按年）', seatsByYear(399, 5)),
    ],
    { sold: 1_874, publishedDaysAgo: 980 },
  ),
  exhibit(
    office,
    by,
    { categoryId: 'office', deliveryType: 'saas' },
    {
      nameEn: 'Fanying Office',
      summary: '审批、公告、考勤、文档协作合一，流程表单拖拽配置。',
      summaryEn: 'Approvals, notices, attendance and shared documents; forms are drawn, not programmed.',
      description: `## 产品亮点
- **流程引擎**：会签、或签、条件分支、超时自动处理。
- **考勤假期**：排班、外勤、加班调休自动核算。
- **文档协作**：多人同时编辑，版本可回溯。

> In English: everyday office work on one account, from leave requests to shared documents.`,
      guide: `1. 开通后以管理员登录，按「新手引导」完成组织架构导入。
2. 在「流程中心」启用请假、报销等 20 个模板。`,
    },
    [sku(office.skus.seats, '专业版（按人按月）', seatsByMonth(15, 10)), sku(office.skus.yearly, '专业版（50 人包年）', byYear(5_980))],
    { sold: 2_451, publishedDaysAgo: 1_100 },
  ),
  exhibit(
    contracts,
    by,
    { categoryId: 'office', deliveryType: 'saas' },
    {
      nameEn: 'Fanying Contracts',
      summary: '在线签署、实名认证、区块链存证，合同从起草到归档全程留痕。',
      summaryEn: 'Sign online with verified identities and keep evidence from draft to archive.',
      description: `## 产品亮点
- **合规签署**：符合《电子签名法》，支持企业与个人实名。
- **模板中心**：劳动、采购、租赁等 60 份模板，字段自动填充。
- **到期提醒**：履约节点与续签提醒不遗漏。

> In English: electronic contracts with verified signers, templates and reminders.`,
      guide: `1. 开通后先完成企业实名认证（通常 1 小时内）。
2. 上传印章或在线制章，即可发起第一份合同。`,
    },
    [
      sku(contracts.skus.standard, '标准版（300 份/年）', byYear(1_280)),
      sku(contracts.skus.enterprise, '企业版（3 000 份/年）', byYear(6_800)),
    ],
    { sold: 968, publishedDaysAgo: 720 },
  ),
  exhibit(
    knowledgeBase,
    by,
    { categoryId: 'office', deliveryType: 'saas' },
    {
      nameEn: 'Fanying Private Knowledge Base',
      summary: '独立环境部署的企业知识库，数据与他人隔离，开通后自动建库。',
      summaryEn: 'A knowledge base in an environment of its own, built for you after the purchase.',
      description: `## 产品亮点
- **独立环境**：每个客户一套独立实例，数据隔离、可指定地域。
- **全文检索**：Word、PDF、图片文字一并检索，权限到段落。
- **问答助手**：基于自有资料回答，答案附出处。

独立环境需要创建，付款后一般几分钟到一小时内完成，期间显示「发货中」。

> In English: your own environment takes minutes to an hour to build; the order shows “shipping” meanwhile.`,
      guide: `1. 付款后系统自动创建环境，完成后「应用信息」出现访问地址。
2. 管理员导入资料目录，设置部门权限。`,
    },
    [sku(knowledgeBase.skus.monthly, '专属版（200 GB）', byMonth(880)), sku(knowledgeBase.skus.yearly, '专属版（1 TB）', byYear(16_800))],
    { sold: 143, publishedDaysAgo: 300 },
  ),
  exhibit(
    erp,
    by,
    { categoryId: 'management', deliveryType: 'saas', humanDelivery: true },
    {
      nameEn: 'Fanying ERP with implementation',
      summary: '采购、库存、生产、财务一体化，含顾问实施与数据迁移。',
      summaryEn: 'Purchasing, stock, production and finance, with consultants who set it up and move your data.',
      description: `## 产品亮点
- **业财一体**：单据自动生成凭证，月结不再加班。
- **顾问实施**：需求调研、期初导入、上线陪跑，按里程碑验收。
- **行业模板**：机械、食品、服装三套模板。

> In English: software plus people: consultants deliver it step by step, and you accept each milestone.`,
      guide: `1. 付款后请提交需求单，顾问在 1 个工作日内联系。
2. 实施完成后在交付中心验收。`,
    },
    [sku(erp.skus.standard, '标准版（含 10 人天实施）', once(38_000)), sku(erp.skus.flagship, '旗舰版（含 30 人天实施）', once(98_000))],
    { sold: 57, publishedDaysAgo: 540 },
  ),
  exhibit(
    fax,
    by,
    { categoryId: 'office', deliveryType: 'saas' },
    {
      nameEn: 'Fanying Internet Fax',
      summary: '用邮箱收发传真。本产品已停止销售，老用户服务至合同期满。',
      summaryEn: 'Fax by mail. No longer sold; existing customers are served to the end of their contracts.',
      description: '本产品已停止销售。已购用户可继续使用至到期。\n\n> In English: no longer on sale.',
      guide: '登录地址见实例详情的「应用信息」。',
    },
    [sku(fax.skus.monthly, '标准版', byMonth(29))],
    { sold: 412, publishedDaysAgo: 1_300, withdrawn: true },
  ),
];
