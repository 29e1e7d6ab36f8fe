import { demoProducts, demoProviders } from '@yunshi/contracts/demo-world';
import { byMonth, byYear, each, exhibit, once, sku, trial, type Exhibit } from './shelf.ts';

const by = demoProviders.lidun;
const { hardenedLinux, bastion, penetrationTest, gradedProtection, scanner } = demoProducts;

export const lidunShelf: readonly Exhibit[] = [
  exhibit(
    hardenedLinux,
    by,
    { categoryId: 'security', deliveryType: 'image' },
    {
      nameEn: 'Lidun Hardened Linux',
      summary: '按等保 2.0 三级基线加固的 Linux 镜像，开机即合规，附基线自查脚本。',
      summaryEn: 'Linux hardened to the level-3 baseline of graded protection, with a script that checks it.',
      description: `## 产品亮点
- **基线加固**：账户、审计、访问控制 120 余项配置到位。
- **持续更新**：每月发布安全更新镜像。
- **自查报告**：一条命令输出整改报告。

> In English: boots compliant, and proves it with a report.`,
      guide: `1. 选择地域与机型后创建云服务器，约 3–5 分钟。
2. 首次登录运行 \`lidun-check\` 生成基线报告。`,
    },
    [sku(hardenedLinux.skus.monthly, '标准版', byMonth(99)), sku(hardenedLinux.skus.yearly, '标准版（包年）', byYear(990))],
    { sold: 1_532, publishedDaysAgo: 900 },
  ),
  exhibit(
    bastion,
    by,
    { categoryId: 'security', deliveryType: 'image' },
    {
      nameEn: 'Lidun Bastion Host',
      summary: '运维审计堡垒机：统一入口、双因素认证、操作全程录像。',
      summaryEn: 'One door for administrators: two factors, recorded sessions, rights by asset.',
      description: `## 产品亮点
- **统一入口**：SSH、RDP、数据库一处登录。
- **双因素认证**：动态口令与短信。
- **会话录像**：命令检索、回放、高危阻断。

> In English: a bastion host with recorded sessions, licensed by number of assets.`,
      guide: `1. 用镜像创建服务器，浏览器访问 \`https://服务器地址\`。
2. 按向导设置管理员并导入资产。`,
    },
    [sku(bastion.skus.assets20, '20 资产', byMonth(399)), sku(bastion.skus.assets100, '100 资产', byMonth(1_299))],
    { sold: 421, publishedDaysAgo: 640 },
  ),
  exhibit(
    penetrationTest,
    by,
    { categoryId: 'security', deliveryType: 'human_service' },
    {
      nameEn: 'Lidun Penetration Test',
      summary: '持证工程师人工渗透，覆盖网站、App、小程序，报告含修复建议与复测。',
      summaryEn: 'Certified testers attack your site or app and hand in a report, advice and a retest.',
      description: `## 服务内容
- 信息收集、漏洞挖掘、权限验证，全程授权、不影响业务。
- 交付渗透测试报告与修复建议，30 天内免费复测一次。
- 5–7 个工作日完成。

> In English: five to seven working days, one free retest within 30 days.`,
      guide: `1. 付款后提交需求单：目标地址、测试时间窗、联系人、授权书。
2. 服务商确认后开始实施，完成后请验收。`,
    },
    [
      sku(penetrationTest.skus.web, '网站渗透测试', each(6_800, 1, 50)),
      sku(penetrationTest.skus.app, '移动应用渗透测试', each(9_800, 1, 50)),
    ],
    { sold: 187, publishedDaysAgo: 820 },
  ),
  exhibit(
    gradedProtection,
    by,
    { categoryId: 'security', deliveryType: 'human_service' },
    {
      nameEn: 'Lidun Graded Protection Consulting',
      summary: '定级、备案、整改、测评一站式陪同，二级、三级系统均可办理。',
      summaryEn: 'Grading, filing, remediation and assessment, accompanied from start to end.',
      description: `## 服务内容
- 协助定级与公安备案材料准备。
- 差距评估与整改方案，现场或远程实施。
- 陪同测评机构完成测评。

> In English: consulting for level 2 and level 3 systems under the graded protection scheme.`,
      guide: '付款后提交需求单：系统名称、部署方式、所在地市。顾问 1 个工作日内联系。',
    },
    [sku(gradedProtection.skus.level2, '二级系统', once(45_000)), sku(gradedProtection.skus.level3, '三级系统', once(88_000))],
    { sold: 76, publishedDaysAgo: 760 },
  ),
  exhibit(
    scanner,
    by,
    { categoryId: 'security', deliveryType: 'saas' },
    {
      nameEn: 'Lidun Vulnerability Scanner',
      summary: '免安装的网站与主机漏洞扫描，定时巡检，风险按紧急程度排序。',
      summaryEn: 'Scans sites and hosts without installing anything, on a schedule, the urgent findings first.',
      description: `## 产品亮点
- **零部署**：添加域名完成归属验证即可扫描。
- **每日更新**：漏洞库随新公告更新。
- **整改跟踪**：指派、复扫、报告导出。

> In English: add a domain, prove that it is yours, and scan it every night.`,
      guide: `1. 开通后从实例页面免登进入控制台。
2. 「资产」添加域名并按提示验证归属。`,
    },
    [
      trial(scanner.skus.trial, scanner.skus.monthly),
      sku(scanner.skus.monthly, '标准版（10 资产）', byMonth(299)),
      sku(scanner.skus.yearly, '专业版（100 资产）', byYear(12_800)),
    ],
    { sold: 655, publishedDaysAgo: 450 },
  ),
];
