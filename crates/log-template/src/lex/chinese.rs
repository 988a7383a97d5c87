//! Where words begin and end in Chinese, which puts no blanks between them.
//!
//! Only the words that logs are made of are known. What stands between two of them is one word, whatever it is: in
//! `用户张伟登录成功` the name is left, and evidence decides, as for a word between blanks. A name that has such a word
//! in it is cut there, and its line has a template of its own.

/// Sorted.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "上传", "上线", "下单", "下线", "下载", "不匹配", "不可用", "不合法", "不存在", "不支持", "不正确", "不能",
    "不足", "丢失", "中断", "为空", "主机", "主题", "事件", "事务", "付款", "代理", "令牌", "任务", "优惠券",
    "会员", "会话", "伸缩", "作业", "保存", "修改", "停止", "健康", "充值", "关闭", "内存", "写入", "冲突",
    "准备", "分配", "切换", "创建", "初始化", "删除", "剩余", "加密", "加载", "加锁", "升级", "即将", "卸载",
    "压缩", "原因", "参数", "发布", "发货", "发送", "取消", "句柄", "可用", "同步", "启动", "启用", "告警",
    "响应", "商品", "回收", "回滚", "回调", "在线", "地址", "增加", "处理", "备份", "复制", "大小", "失效",
    "失败", "字段", "安装", "完成", "实例", "审批", "审核", "客户", "客户端", "容器", "密码", "导入", "导出",
    "尝试", "就绪", "已", "已存在", "已满", "已经", "帐号", "帐户", "库存", "开启", "开始", "异常", "当前",
    "心跳", "总数", "恢复", "成功", "打开", "扣款", "执行", "扩容", "找不到", "投递", "报告", "报表", "报警",
    "拉取", "拒绝", "挂载", "损坏", "授权", "探测", "接口", "接收", "推送", "提交", "提现", "提醒", "插件",
    "搜索", "支付", "收货", "数据", "数据库", "数据源", "数量", "文件", "文件描述符", "断开", "新增", "新建",
    "无效", "无权", "无权限", "无法", "日志", "暂停", "更新", "最大", "最小", "有效", "服务", "服务器", "服务端",
    "未找到", "未知", "权限", "来自", "查询", "校验", "检查", "检测", "检索", "模块", "模型", "模板", "次数",
    "正在", "正常", "没有", "注册", "注销", "消息", "消费", "添加", "清理", "清除", "溢出", "熔断", "版本",
    "状态", "生产", "用户", "由于", "申请", "登出", "登录", "登陆", "的", "监听", "监控", "目录", "短信", "硬盘",
    "磁盘", "禁止", "禁用", "离线", "移除", "空间", "端口", "等待", "策略", "签名", "管理员", "索引", "线程",
    "线程池", "终止", "绑定", "结束", "结果", "结算", "缓存", "编码", "编辑", "缩容", "缺失", "网关", "网络",
    "耗尽", "耗时", "节点", "获取", "被", "规则", "角色", "解压", "解密", "解析", "解码", "解绑", "解锁", "订单",
    "订阅", "认证", "记录", "证书", "请求", "读取", "调度", "调用", "账号", "账户", "购物车", "资源", "超出",
    "超时", "超过", "路径", "路由", "转发", "转换", "达到", "迁移", "过低", "过大", "过小", "过期", "过长",
    "过高", "运行", "返回", "进程", "连接", "连接池", "退出", "退款", "选举", "通知", "邮件", "部署", "配置",
    "释放", "重启", "重复", "重试", "重连", "鉴权", "锁定", "错误", "镜像", "队列", "阻塞", "降级", "限流",
    "集群", "非法", "验证",
];

/// Bytes of the longest of [`WORDS`].
const LONGEST: usize = 15;
/// Bytes of one character.
const CHARACTER: usize = 3;

/// Whether this is one of the words that logs are made of.
pub(crate) fn is_word(text: &[u8]) -> bool {
    text.len() <= LONGEST && WORDS.binary_search_by(|word| word.as_bytes().cmp(text)).is_ok()
}

/// The length of the longest known word that `text` begins with, or 0.
fn known(text: &[u8]) -> usize {
    let Some(first) = text.get(..CHARACTER) else { return 0 };
    let begin = WORDS.partition_point(|word| &word.as_bytes()[..CHARACTER] < first);
    let same = WORDS[begin..].iter().take_while(|word| word.as_bytes().starts_with(first));
    same.map(|word| word.as_bytes()).filter(|word| text.starts_with(word)).map(<[u8]>::len).max().unwrap_or(0)
}

/// The length of the first word of `run`, a run of letters that is not empty: a known one, or all before the next.
pub(super) fn word_end(run: &[u8]) -> usize {
    let length = known(run);
    if length > 0 {
        return length;
    }
    let next = (1..run.len()).find(|&at| run[at] & 0xc0 != 0x80 && known(&run[at..]) > 0);
    next.unwrap_or(run.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(mut text: &str) -> Vec<&str> {
        let mut words = Vec::new();
        while !text.is_empty() {
            let (word, rest) = text.split_at(word_end(text.as_bytes()));
            words.push(word);
            text = rest;
        }
        words
    }

    #[test]
    fn names_are_left_between_the_words_of_logs() {
        assert!(
            WORDS.is_sorted()
                && WORDS.iter().all(|word| word.len() <= LONGEST && word.len() % CHARACTER == 0)
        );
        assert_eq!(words("用户欧阳娜娜登录成功"), ["用户", "欧阳娜娜", "登录", "成功"]);
        assert_eq!(words("数据库连接池已满"), ["数据库", "连接池", "已满"]);
        assert_eq!(words("今天天气很好"), ["今天天气很好"]);
        assert_eq!(words("成"), ["成"]);
    }
}
