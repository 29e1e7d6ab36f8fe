import { demoProducts, demoProviders } from '@yunshi/contracts/demo-world';
import { byMonth, byYear, exhibit, sku, type Exhibit } from './shelf.ts';

const by = demoProviders.muzuo;
const kind = { categoryId: 'environments', deliveryType: 'image' } as const;
const { lnmp, containers, database, gameServer } = demoProducts;

export const muzuoShelf: readonly Exhibit[] = [
  exhibit(
    lnmp,
    by,
    kind,
    {
      nameEn: 'LNMP Website Environment',
      summary: 'Nginx、MySQL、PHP 调优完毕的网站环境，附可视化面板与一键证书。',
      summaryEn: 'Nginx, MySQL and PHP, tuned, with a panel and certificates by one click.',
      description: `## 镜像内容
- Nginx、MySQL、PHP 8，参数按内存自动调整。
- 可视化面板：站点、数据库、备份、证书。
- 每季度更新，附升级脚本。

> In English: a website environment that is tuned to the memory it finds.`,
      guide: '创建服务器后浏览器访问服务器地址，按首页提示取得面板初始密码。',
    },
    [sku(lnmp.skus.monthly, '标准版', byMonth(10)), sku(lnmp.skus.yearly, '标准版（包年）', byYear(99))],
    { sold: 4_870, publishedDaysAgo: 600 },
  ),
  exhibit(
    containers,
    by,
    kind,
    {
      nameEn: 'Container Environment',
      summary: '预装容器引擎与编排工具，国内加速源已配置，开机即可部署应用。',
      summaryEn: 'A container engine and compose tools with mirrors configured, ready to deploy.',
      description: `## 镜像内容
- 容器引擎与编排工具，日志轮转、磁盘清理已配置。
- 常用应用模板 30 个。
- 非特权用户默认可用。

> In English: thirty templates, log rotation and clean-up included.`,
      guide: '登录后运行 `muzuo apps` 查看可部署的应用模板。',
    },
    [sku(containers.skus.monthly, '标准版', byMonth(15)), sku(containers.skus.yearly, '标准版（包年）', byYear(149))],
    { sold: 2_236, publishedDaysAgo: 520 },
  ),
  exhibit(
    database,
    by,
    kind,
    {
      nameEn: 'PostgreSQL Database Image',
      summary: '生产级 PostgreSQL：自动备份、时间点恢复、监控面板一应俱全。',
      summaryEn: 'PostgreSQL for production: backups, point-in-time recovery and dashboards.',
      description: `## 镜像内容
- 自动备份到对象存储，支持恢复到任意时间点。
- 连接池与慢查询面板。
- 中文排序与全文检索扩展已安装。

> In English: restore to any second of the last seven days.`,
      guide: '登录后运行 `pg-setup`，按提示设置备份位置与管理员密码。',
    },
    [sku(database.skus.monthly, '标准版', byMonth(49)), sku(database.skus.yearly, '标准版（包年）', byYear(499))],
    { sold: 689, publishedDaysAgo: 410 },
  ),
  exhibit(
    gameServer,
    by,
    kind,
    {
      nameEn: 'Game Server Image',
      summary: '好友联机服务器一键开服，支持存档管理与定时重启。',
      summaryEn: 'A server to play with friends, with saved games and scheduled restarts.',
      description: `## 镜像内容
- 多款联机游戏服务端，一条命令安装。
- 存档自动备份，网页管理。

> In English: one command to install, saved games backed up by themselves.`,
      guide: '登录后运行 `game install`，按提示选择。',
    },
    [sku(gameServer.skus.monthly, '标准版', byMonth(20))],
    { sold: 3_015, publishedDaysAgo: 260 },
  ),
];
