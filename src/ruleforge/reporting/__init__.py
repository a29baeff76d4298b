"""reporting: a result -> what people read and what other systems load"""
