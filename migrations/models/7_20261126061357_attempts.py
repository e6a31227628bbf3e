"""The attempts of tasks: which approvals were asked and decided in the present one.

A task's attempt is its latest hand-out or reopening. All tasks begin at 0 here, and what was asked or decided before
their present attempt gets no number, so that it no longer lets them be done.
"""

from tortoise import BaseDBAsyncClient

RUN_IN_TRANSACTION = True

SINCE = """
        UPDATE "approval_task_links" SET "{column}" = 0 WHERE EXISTS (
            SELECT 1 FROM "approvals" a WHERE a."id" = "approval_id" AND a."{moment}" IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM "task_runs" r
                WHERE r."task_id" = "approval_task_links"."task_id" AND r."started_at" > a."{moment}")
            AND NOT EXISTS (SELECT 1 FROM "events" e
                WHERE e."task_id" = "approval_task_links"."task_id" AND e."kind" = 'task.status_changed'
                AND e."created_at" > a."{moment}" AND {was_done}));
"""
WAS_DONE = {
    "sqlite": """json_extract(e."data", '$.before.status') = 'done'""",
    "postgres": """CAST(e."data" AS json) -> 'before' ->> 'status' = 'done'""",
}


def known(dialect: str) -> str:
    """What is known of the approvals that are here already."""
    columns = (("asked_attempt", "created_at"), ("decided_attempt", "resolved_at"))
    return "".join(SINCE.format(column=c, moment=m, was_done=WAS_DONE[dialect]) for c, m in columns)


UP = {
    "sqlite": """
        ALTER TABLE "approvals" ADD "run_id" CHAR(36);
        ALTER TABLE "approval_task_links" ADD "outcome_reason" TEXT;
        ALTER TABLE "approval_task_links" ADD "decided_attempt" INT;
        ALTER TABLE "approval_task_links" ADD "outcome" VARCHAR(16);
        ALTER TABLE "approval_task_links" ADD "asked_attempt" INT;
        ALTER TABLE "tasks" ADD "rework_at" TIMESTAMP;
        ALTER TABLE "tasks" ADD "attempt" INT NOT NULL DEFAULT 0;
    """,
    "postgres": """
        ALTER TABLE "approvals" ADD "run_id" UUID;
        ALTER TABLE "approval_task_links" ADD "outcome_reason" TEXT;
        ALTER TABLE "approval_task_links" ADD "decided_attempt" INT;
        ALTER TABLE "approval_task_links" ADD "outcome" VARCHAR(16);
        ALTER TABLE "approval_task_links" ADD "asked_attempt" INT;
        ALTER TABLE "tasks" ADD "rework_at" TIMESTAMP;
        ALTER TABLE "tasks" ADD "attempt" INT NOT NULL DEFAULT 0;
    """,
}

DOWN = {
    "sqlite": """
        ALTER TABLE "approvals" DROP COLUMN "run_id";
        ALTER TABLE "approval_task_links" DROP COLUMN "outcome_reason";
        ALTER TABLE "approval_task_links" DROP COLUMN "decided_attempt";
        ALTER TABLE "approval_task_links" DROP COLUMN "outcome";
        ALTER TABLE "approval_task_links" DROP COLUMN "asked_attempt";
        ALTER TABLE "tasks" DROP COLUMN "rework_at";
        ALTER TABLE "tasks" DROP COLUMN "attempt";
    """,
    "postgres": """
        ALTER TABLE "approvals" DROP COLUMN "run_id";
        ALTER TABLE "approval_task_links" DROP COLUMN "outcome_reason";
        ALTER TABLE "approval_task_links" DROP COLUMN "decided_attempt";
        ALTER TABLE "approval_task_links" DROP COLUMN "outcome";
        ALTER TABLE "approval_task_links" DROP COLUMN "asked_attempt";
        ALTER TABLE "tasks" DROP COLUMN "rework_at";
        ALTER TABLE "tasks" DROP COLUMN "attempt";
    """,
}


async def upgrade(db: BaseDBAsyncClient) -> str:
    dialect = db.capabilities.dialect
    return UP[dialect] + known(dialect)


async def downgrade(db: BaseDBAsyncClient) -> str:
    return DOWN[db.capabilities.dialect]


MODELS_STATE = (
    "eJztXf1z2zaa/lcw/qXtjOJxHMf56M3N2Knb824a9xJnu3ebHQoSYYlnilAA0oq22//9AJCU+AFSBEVRFPXezWwdEi"
    "9IPQABvM/79cfJjNrE5adX4zENPP/miXj+yVv0x4mHZ0T8ob0/QCd4Pl/flRd8PHKVAA5bWkQ2VbfwiPsMj2W/D9jl"
    "RFyyCR8zZ+471JMydx5BojVbIvqA/ClBUSfIpZO3iDsT75nj8QGaY84XlNniT58+Eo+fog/BbEQYsRH2bDSeYscTf7"
    "vOo+hQvcCpfAObjsUrON6kjYcFnvM1IJZPJ0T0zsQj//FPcdnxbPKNcPnPP04eHOLa6u+TgBNmObaU5OTriWxKvs0Z"
    "4VyAw2PpaDi8wHUl2Mu5wvpENRbgqn/8KRvOHy3VeWoQw+7VdSuW/fz59qefVUsJ0MgaUzeYeevW86U/pd6qeRA49q"
    "mUkfcmxCMM+8RODKl8tWgOxJdCJMQFnwVkBYG9vmCTBxy4cmKc/MdD4I3lfEAzR/108UJikKh7OqaMnDo2P/XIQgD1"
    "n9H7JmQt68PdvfXp5t6yTnKTK4IsOQWiS+IBcmI6cpoKtP4M+12jpK6eyAe8+6+rj9+/uPxB4UK5P2HqpsLw5E8liH"
    "1srUd1Db0c0xz2187k1vP16EcCGfid8LNrHvgYnh0AKt5W/OfZm/PzFy9enZ+9uHz98uLVq5evz16Ltup987delYzC"
    "9e0vtx/u5QtRsZyEq428IAdgDfij+LF5xN9NMdPjHbfPAC5+SB3A4wtrxNdLXhuQz/A3yyXexJ+Kf15elKD5t6uPal"
    "pfXvyQhvRDdOdc3UqDm1isqq4mCZEtlpRo3nYF523WijWaYk+kpnAmZQDPNJ5yEc5jeS92SD2Wcfv2Pv2TP/7cw/Z1"
    "f/N3tWzOOP/qJj/x73+9+rsCdraM7ry/+/BL3DyxJLx7f3edAVscUZ6sKeZTk8U2JQQrboUV1xRhANcA3DEjEgwL+5"
    "ol2B//JG76zozokU4LZ/C2I9HT+I+drSgbDs5jl44fTz262Me5+f7215tP91e//pZafX66ur+Rd85TK0989fvLzACu"
    "OkG/397/F5L/RP979+HmRD4YBz61xK+zsJ3EJ74cX1Kq0cNj4oQuL4zw+HGBmW3l7tBzWtQ2f2t2PstewR6eqAGTkM"
    "n3jNToW4Ec9sbkE/H9ENOcpp1tMihTtp2oscXD1gb69hN2AxKrwIspdQlSvYnpKJsNEA/GU4S5ui+6D+ZoLF7gO44e"
    "xIMIm4tJ4eu16+a63qxLF+q86r8GC2fcvpmFc7+K106WzWIdV423ycFrJdCLXaqNk1dH1q/fIk7sIxGfrW71SjcoXb"
    "tifs1ism3FlesKUY88kxsqch3vES0cfyqWGEeuJ2hOGBf7oOxN/MsjixWHl1+ntuloi1UJmLi9MXGJvcVkX8iIwfaw"
    "8VRNvs0dMSz1TtVp4X2dqve0W3TmuJzh/GpqSAnJBgbycCirbo4jKLvHOOp7Y+wPaN3dcKjInb3T6Oah/VnMRWfi/Z"
    "UsFcCxRq8BNDo1f466OUxI11fXqzTDi9XpNzmhxG8Xv5j44aHr6tO7q59uQsN1+8rMp9DGfqJRY+JbpQoMj230FTUX"
    "6VpA7GeOh0aMLgQmPyoCZEzpoyP+gxlziNQ3OBGrrS+JE06SjAiS08jmSKgcRKfQNN4/6Dmg54CeU24MF0uLDudi7i"
    "stVQvmAzoJ78LyCPplr06oLua+xQnx6g1oVhx0k4MZedBIj3HUQSMFjRQ0Uq1Gei/9zE80+mh4Y1CmjYY+6lV10RHB"
    "jLBYFaQP0hoWm72+H87GgTX8AVGmLqvDqrqKxdUfxTV3iRw/Za1HDkePZK5xCNjxs0BHPUQdVe+cUaw0NeucUWlj38"
    "d+vSM/zQfnmwkTsJbohXtGmgZ4flmBBniePQStaQB5Kw0w8C0t8S18TGUfOYz/8unuQ0EszUoiqx84Yx/9G7kOrxJW"
    "czh8i4SifAXJLhaZtVt2kF1BGBE/m/vcEnu2NXO8wNes3YXxTAXSteKbOjYQUYDT+fOLVxevX1xerOKaVlfKwpnyoU"
    "vdIrY6BvbB6bmMPIkjeU12Iy0Mo7n30VQ0Y31XmKw4jOjeRxTYx2McdUUwmMZcJmQg5hIigntK5nYT0e253Nzn3wCk"
    "V3E//cQ0ueJ1iSBXM1nDj8czvJgel7OkMjsektM6LjtxB5jnQ2SexbmCPVqFu1YxX5cT7B1jd/7yZQXKTrQq5OzUvQ"
    "ynMcOOa4LzSqAPrlFpgF+cn1UAWLQqBFjd0wBsPRHmiE41M/qaUpdgrwTslHAG9ZGQ3pX2srrS7uJxfXf3PqWSXN9m"
    "zSiff72++fj9czUMopET7n15wq5VM1bHpvY+7FiEMaFzm6KelwT86+BPPRp4GvtLGfJrGcDcHHPJHf2LekazPSkDmJ"
    "tj7lFfZ2QsWdRjAUDbHG2pVAhkTfBOiADi5og73OKBtMVie+Z4hufFvDCcFw3Oi6uUF/qsXiUbaVYQZn6NtQYMPkdo"
    "8Anmdv1RTwvDqB/MqGMB1xOxKJtgz/mXSjtmnmi1oAcwWpUarTTANWBwuct0d5BAb7a7FE66lBVGvA768Pn9+32ZYa"
    "6p6OJqPCY8nDAZa0zy9qDMKJP6nSMpZeG12EZDze9T7COMZkRm5VcZvGggLngIu+4z1R1HDy6eoBleIpsisX7KGAN1"
    "J2/c2bo3jUHoH+mfGPYt2yqpk3+CwagTq9mgzGCEPUuc/UyZ9aRYizpSPC4HqyJJ3BbM0bkYb8R7JQdKqQnioBYd4Q"
    "EZ1KJjHPXwjGV2mkjKQPR1ZvHUHO8M4S3uAcAuVzQLjtZbKpq/rjo6TIw36pjFE26z+2SotmwP8nXcT08xTq6ZXfKf"
    "vPWewnOgpuzAU3R4rqiuO0qgqkulh1R7JfqjCuhX+QpkKD/3qSqpJ1PTJaP8ZY09PqULqWaPdQnvmukT3DgPUSsPZ5"
    "9tGbsX5gR3FeO+Pz/OnbgZQpR7S1Hu4ts0qlsSt28xNcb6rHWI+Rqw64ZcM6/D62mkgW0yYJsS+NWh+XTigL8J/uMx"
    "mdcmfjLSEMW8d0anWzkjOqqvHc5wAhl/jKMOZPwxjvpqMx0tiwMSyxyUtOLgnaQ3b9YDWS8NGJdYQbYwf4Ddw9Tu0Q"
    "AXb+hZ11GIzcweVe0dmc+/AbT7nYtDv1wW+C6W7YWA9EZPUe3u3yk30dCmtMFZNN9oYGiDqu05GhmQiL12+nRdNCJI"
    "Pgz5tKrPaK1+NnuLOiuTHHiLdmlrHpTYpcBbFLxFe80fA0F1jFQFEFTHOOrgLbpTniQ8vG5DlyR7ALANvEXXR+stlc"
    "y129xhYmxImyQnHHiL9t1bNHKF1ijtayfpipp6qBgbJuD8jqO5i8dEqNdSyU52+BbRhZgLA6QSkcjqUeETinN21u1s"
    "o56uGkmuCfTzbmwCgxL9HLzrwLuux9o5eNcBOwJ6MrAjMOq7H3VwetgpVwJlosGHpGWId+NDAhW5q0Db0YrcqYmtIU"
    "KyE78aHVKRB7l5IkzMBQEv8qWjwYi41JvIMNeQi3gbuhPwQVg2W/w3olkGKtBV+huQJ1lP26WTPDHSeO8QSXuIjEj3"
    "S3HvKT5kR8mXbTKjhmp5Qgq0cQNtXCxMFidfNWg7k8J6xQmhWjWKa2F9tiOcowrFb87PX7x4dX724vL1y4tXr16+Pl"
    "uVKs7fKqtZfH37i4Q5NRx63PUZrouJ1qRMi2Tr2Zb/1w5N23yUuZrl4vyJ/YAZEeI5wRYHqx2w31ThxN8Uc+Jvcpy4"
    "OAs68rBlvhhlJWFFqrciLSh7tISGpWPEi+d6WqrFic4Cz5MgtjLfm7cBrXGTVhyuYxiKz5daYSh3YH7WTABZi5jOyU"
    "O0/945Z7AvHeOog33pWEY9x9jvh/UMHe6KMvuX85whaViN4LwKKUaVbF8l8GOBS7jOh6uw3WbS8Y+T9a+OXO0mjAZz"
    "yTbLpuTbnBE1JVfARL86mkjxx3KiGoufpP6hvtBEzxrbQGLB3eZBwJoCa3rUrCl3g4kJ2HF7ALsG2MnXNMA8I9YDVq"
    "ht4CcCmAVeGvo8pKV2mpikzSybzfiQhLu9QiMHaTHtk5ZqcSZPKHYPlVCmo/8jqniVyaKREgKOp8bOGKikB9aMiPca"
    "a8oW/+XT3YeCTTIvmlUOnbGP/o1ch1dhmQ9nJCQm5SORBT2z0sgOcqW6MRMaiGVrKeaNSnpGGpi2vXMuci2WusqDw2"
    "bENIwhLwx2ewO7vYKP04CNjXaTjBjsJ+b7CSNfA4cRC8/njD4JOB8os2zqmQaSlPYDCU6qfwoxkIw8OWRhjYgAkmwz"
    "IvqOYHkyCfKhsxnxfCuC1FaTO8TVcFA29ASjYjAqI2lBUPbKgFvjKfYmhFuSMLbmxLPF+60WI8NBMusYxsxgzKjnLo"
    "VSim1LJmQKsY2QNhykDT3BqBiMimQKQpfv/CAUeiqlhdrzU3q+I6gjP6Xz5xevLl6/uLxYuSetrpR5JWk8kJy55Toz"
    "RwdqsZKelgL9vL5+Dh5g4AHW4TkPHmDdG5JO8lI+5o9iiAJdGbbCzTkt1Bsn4sY25zDcsKaDVVoYPpG9fyJ4xKVSzR"
    "1Pxx9urnGVEYcR3fuIgtvrMY46uL0e46hnPDTzI78h9WxSEur0QJ2eHcMLOVa6kGMl8ek3gLTycv8l7uwgF4qKOWeT"
    "i2WnSsd8DLTpVuTlQVn0gdJ0WVA1w8qdR9AUe/YzGviIPiCMZAen6Pep4xLk+MjhaBhxccPo3/6UqFbfceQSLHt9oE"
    "ymQmFoMSWebDXFHHkUqfKqy3w4QytP/eJ98YYPREz0YUbeC1SRGvHg+CU4wn6YBGZGpUHyFA3HYqmzZs6YUa7kHXmC"
    "cV2Bmz/l4Ut//oRsKr6Dkjy58onqg5TvkUuQq4nMCKei+EBZA4ETmQgNZZ5o9gkQmtG90IxwmE0DNNJSEDlQg24OP/"
    "Ic5oWs5Kp9e4TkDtFumpM0tlWBmcrYTJXYBfKr9SaGIS0MDMPBMAzq/GSpYxLh9cZe1wXwxHsfWSJwqvk1J0VhJLsw"
    "kjU8B9JS4DJQJ6BoNsNsaQJ6QgQQN0ecPDm2/uBc7BaWlAGnsPpOYY43D3zLp4/E0zmcliRmy0r2xqei5cRsNPDrDk"
    "FOFMag3hgkqD6zEcgIAv718E/yklUZw6QMWDl1Uf9QtrQxQJVRxQzPhAjAWW4mhiqZJhbLqhbhleVpO1Dvo256imni"
    "M90MqdpzGsD0Ku7nIDenjZgmt+ZO2dSv4jBFjWH9KhHCWGxdjwMdDazrMrSVcF9ZqzGyydiRHPUpGsZ/DpFPXJeLm4"
    "yobDDUQw+MzpCMPkDSFRfJn686iKIv9Rb1nTxJWdFZID1RhkhiFlrSxRW0mFIe2fFlSVn+SGwl6ohuljJLIXEf6qco"
    "bDSDYMYQvo6LhAyF/TWDqx8VwpgbgxI7eFoMDOE1KL05XrpUV/u2mNFLiAChV5/QUzl3CujUnwXAhURGUiwzAA9Srl"
    "+z/qe7z9fvb9BvH2/e3X66jcZhZeRRN+WldZD4x5ur99nMJMGIOWOLy1XSKKY5JwgTvv6EL0qWUO4mok2KsEs/kShT"
    "xq520F37icQnSBOckzJ9sIulMX5xXgHjF+eFGMtbaYw9qnN3KsmoTLfwduoYtu2n+eLUfRLn/tHSehS/2WRe62T7MA"
    "a7XkNWuNVyT8lIg4fK3j1UQlLARL1dS4DFJnNsh/jeI/yCIL73GEcdrN1g7e40oJEdITzhJsrSV97mC+Rh4hYrIbVg"
    "1ooDyuBs0LqzAVjGm7KMly7EDSD8OeqmnwAXbT2VwE4vp4D1Rqy1+08nPT6UF1OJ10fs5bTZ88NSHkOu4z1WLvEoJc"
    "LkAthDcT8ypQAe0UCmGnB4nEl7iBiZC20+dLKI237HkYptjTw7womC1PTQlYrc6fOUP4jy9RCap09mc38oHmOHTiZ2"
    "6iojyaQL0fVMooW3SCauTr2ourvAHEU9igd/8WRH0jVD+qjEPYlJtk7rgEYEyWT+4ueJHzkWnausDYupeh5ZucMg27"
    "GRT1dyxakbkknNlTNdafaG2JEMvEj65UWy/lbyQ1CakD0tCCU/qqdfT60uedQLozFycrXiMTq2Gzef6TW1TBvAq5EE"
    "gLUBXXL3MbEoJkTAkLjZkBjBVSM8Oi/ZB7zbNp6DseoozRaxAmRouUiLAdkOoWUtsr3FFa/MqclEV4cJ7WZ6Mv2tQo"
    "xZSzFm++HGrgN7QvwTDSsW3RmU8WEj1aYyB6ZqOCk+iXoEKR58oP5UdgbxJ0Pfe8SR7AuaOE/E+0ExNMlcuFHCTzye"
    "os/375CNl1LK8ZBPfezqiLDdP1SxYWI++opsGoapGIboe5UdQ/FiYZIGFFNLP0hxlVtUtCrMJ/rDKRoGXJ6SZrJmyZ"
    "rJkrSYvPHFEycXRWuJFwqbUm+oftE6I6rizAhzqB29nHjj4VsZnjVhdCF6FL9cNV9KFpAyAU4gviSmBMPxlclW5Umo"
    "gCTLEGLAX3WPv5KT00QXjdv3Iu5p15po+HWZwLuWaDH4QCwSu5q0u0ZYLeHRMqghYEtys2Ql+5RjteX8LImtyGwMMo"
    "KQH2cL/M2CbxIifaC4MsvMWZVl5qx4mTnLlWvEzDPGOCUEKG9GmXwbE2Ib45wRA6Q3Iw0U7TFStBBPcIyjDvEEvYkn"
    "6CWeUHOtTYsH1FyrQ9HXr7nWAMZVQwm6uTpAJEGnIgn2bFT6zMX1G3FgW55oDEuJu4My41Ig21niFzKHVDQx3SvTiz"
    "K5zKhHlmsHaIlUZOAgtnQ/pmLi1CnwlrIutfA8w7R5mjVMEr/bOCRn0uYlv+SGu07O5227BjNU98xQe3Nz6eb6vuWR"
    "OjLoVCXQouZ9NOk1zpxBRYx9WzugIsb+xwAqYuwXf3UmziNf7Nm+EuiDdQQc2oE3B968E98b8ObAm3dNBWgo+w6kLw"
    "QbRJcoXbBB7MEGoc8FA0aInaQzCppYDT4GVRaBA0V0vcV0K42Omse6/DnxBC9JnCObVI8TItiWUSyyIhFhoVVEfbyn"
    "6HdHTAcZVYMmYtwXWJYYUlltkO0wMvZDy8tbhL0lmjM6YXgWhrhgpAghbYTQjh+3vQlnNwWQdl9iycXctzghHpRW6p"
    "81J/oiDM/PaamdnqFzQ9HJI3Sq+gPW5Qwpqf6At0gY0tEjcmuE36EUjWH0SSUta61yzOVFBXva5UWhPU3eytjTuBVu"
    "NnKr1dgSNqTQSsu2mEVrdeVg02hNCWb+SOztlqrupclfVlyiSicLVarqV6mStdV8x19a4pN+cFzNSl88FjpZGIsGxk"
    "KmMXOxWdElrTDY3GpswTRwa41AThDQN0efzok3dvFCaGihXqI7yZfkUdOLw0iYj8TCmVsqVD2Pf6GTRUoGcjBq3Fdc"
    "7MwsH0+M6nKmpWCL3aIKLXZdyTxaATPyYsnKwYJSw5klxpCTMSOaZaUC/GtRGIEaSzplAkJfe64pySaQkmqRZWCB1x"
    "7B0HyGmDVuNRLCaoVhzm8z5+t50eXkocDn3h3kUiYc8yHNisOI7n1EwdH1GEcd0oIc46iDOy6443YcXnAhBRfSg8F2"
    "cxqLPfrmfaKBe1Lkn6duDjb66FnSslLRUe/OI8gXWvW6WFuc+UDWjhP9DFRmhMWUogWjPpG+c4vp8keVWtojC8KVL1"
    "2yqpus3XaSGbFdPsfQNS/p69qQxxx4tnXPs03+Cq3vdwlruhYBZ6x6lmA2JqamgrQUUHbmuJuzpUCRboO30NamlFmP"
    "4uea2AUyYr1YYnZtE4gwM4ztTQqB9qtF1NRLOSMGywYkJwD2rgp7t8fkBF3bLHbCL7Ud4dlRUA82z+SV7+PxdFYUlr"
    "i+OyjjPVSKObxqXDlKUbphI7GaYVVCXpXdEv+SlcXoA3J8jsZ0pjr8Uf1rtPQJR5gRmfNxuH65d6HmONRFJu7iEYaU"
    "RyIBHzAevWU8IPCszcNc+DmGqOVAL1YCs3K9AD+tBZ6/fFlBDRStCvVAdS/DLTn/0uBc6FgdN+9TrbDGnKr5FJ+/vD"
    "SZtWuJHs7X5kMlQdMDTa9VTe9wmBUDpio6FxsimpYCTCFX2q6w3Fsm9K5tp83AGXBiSvQnRGBylrJkcuI1QJLdR90c"
    "5gTdyJElPs/N3lbRRtMAqu/WPR3kVN2Ia3pPhgRzrSSYgzSIu06DKLefBkD9HHXTT0wTe3S3MiFmmfWTUvND3GhgYI"
    "WwIrKvauGrKYnYf5m90EPrjgYIzzHzEaeh+6SMXefII0+EISYTH/pTMtNUtmqgw82WhkJTQAIIQ6U4K9iugaCTZ7tB"
    "CfFf6Op47XiYLU2dHdWUOdxTng7c6yjdwYor+tvVx+vbD1cf/0dvA7jWpEe4/p/7myvdKdtk/dJ9Hflxu/PIPRX/U3"
    "VXTnV1iB/E5p05uyRUMGFvtT28m5Lxo1wWb30y020N6Qabt4Vx3N5yhEBlAzWfYddF3CfzMKet7EtnZS5sV99ULCa/"
    "o14EDMX9MhTLOAwTQ3Hcvhe2n7YNxQ63bOppbJebEmbGUpAq0yBV5mrNysH9s0txwfxOCmXQfpBS/ZrlP919vn5/g3"
    "77ePPu9tNtlDNqZS1TN9Mof7y5eg8GTjBwQvqBoxx1MHOBYWbf6t9Gw8x+OMTYcKNTD9c2nU2KYeT+W00j/ERnQo8T"
    "mCKOHRvhUVjZRPaERst12XrKxNU5YZx6oV+xaBzFT4u/Is9j8iSa5rXJHT0DnJZBF83TYBCOtifFdCY+IfEdm6CeEA"
    "EuoAbkxHZqn59TspCBb+/H4vAQUnMw08IwmnsfTSA0jnHUwWMbPGI7DCd4xALxsltIm/WIBS9D8DIEL8MUQ6iWBw09"
    "GC8b5dxgZS+RsXjRMMdAVPP4CkUqhko08EjInCs2jtFFWNt4uFZBhogTDQvYSK9fvC/eEPuyype4whxOeNhSuhou0R"
    "R79jPFLnp2dIkRWZNKvMMpGjKiqgnIzhwhNyWeIhflRZVCUqWBlAOFfKpeRH1aRWTjP9YJUr1gNhIX/1nGP+6+snLy"
    "CYmypE243WSehEUXE0/+gMTaEz0SGNV+MarR3M7BXxgrvxaAaHmNS4nv+LoynyXuUrEAcKQ1ONLkaxqAnhEDg0Bva2"
    "k73oh+29WSvOt8lnPmUOb4SxOUkzIt4jwjthPM2gG6+RQc4AjYiiOgHdQsE7YWBOvH3nlwx5MlyeUZk9cbzXwHMKp7"
    "H1Wh0j05NODW1sNb0hOM897HWQ6OUFTrGLM0omA2SO9wDySiVStq06v27SnTZ7s6ozWsSUc8oAGYCQmAMwvnih2tsa"
    "KnZGEN3/sa/oAdV/HLar5rlPDi9SYvCZ9K/lPx2bLul7IWhQ9l/x+KiyeTuo5aaWEYzU6MZo1i7xkxIHtr1TCiVmTW"
    "zENfGpucFYUAZYMAZQWe+YzPiMGMr2NYAoft/uwcmI2nzlPd4cxIw3jufTzBAf8YRx0yChzjqGu90SrHX+iEgbT+U4"
    "9wjRACnSzgm8Y36blZFdekDIS6FCQUGi3rTFm9NEza0gCYlTP0loEF13E/hzlxN4YWJL/bClnh01OxAXz7Hbih/3Sr"
    "pDRPnQMawLnvUUe6c5MJzjCdTVDuckDST2ROBIzeeHlSEJqUaDHYmMDIjhs7pGrAkoeIPSFv0VB2MEQLLIN3HiiTAU"
    "SyM27JiaPu+RSNCJLJMDUhSvX70cYHxTGhGeFcnBCEvXQv7AUIpGOkEkARa1gRyyx9htDqpQFkyJMBim3nzqpmii3k"
    "y2g8X0b2mAnobkBXv710KSOsWjN+YTSYn2hUq8TdQZlaFX6ZE9mwokaleuZhMSfMCJq72BNqKIr1G5VggU/lLYxmZE"
    "bZ8kc0VM/hQyUhEyu4zhORqR34QPzvWF1bogURd12KbWLnNbAWn2uYPpayCfacf2GJEKSR7bv2Z5o/dqvEsR1dPlvz"
    "pOJuMDEBO24PYEM+hANCHhilY2SUwCXpGEddc1qseo7TiAJDU87QJCFrQOu9y3R3mBBv1H41E61zqu+vSsU7KdJ9o9"
    "uDzcrvbN3SoCbKgjm+Tzxk04Wn7IAqp+CI2stEHsO34o+xVFijcgZhHROP+hoLY7NdG6qwSYLO4ZbsuEE1tiQZISjK"
    "vVWUC2tFF6sSxZWiQYOrokf4eKIJ6P7Lp7sPRaaeiS6M23bGPvq3KtXeK91NAlGOeRbezKyXHWiqrsbLpUFkY0IKgh"
    "oNgho5DZguSUoJJbSSAGYC6ggds+YJLNMxjnpUv65WAFReFCIdckH2EqI6wU85ScAWQp/Ae6l7bJiZ91Liu24A257H"
    "MOTWwCphIoldqQGE+x6Mk9/DOxUlonyUirnc5O1BRUemRhndkG2VJaYxUr2bM7f6LmoxtOHva5WnTT4S2Fpga4GtPQ"
    "G2FthaYGuBre3cigJsba2h6CRvB2ztMY46sLXA1h4mtnlt0YyzTUoCc1uBuQ0Ra4q/XcWKHSa+FUnc5CQDKheo3EOE"
    "uLNU7n8HhEe/Pcfjru4Nykjc8Kd9jdpWrkkuFHf7O45iOZmAZ07o3JXpemSJ7+EADbHHZZinLf6WSXtkZXBboOsNT9"
    "H9lKDwtqz9LR5CxT+ReBO2lKStDBsNGWVd5fJWn72FV68soEqAw+01hxt+PqYBqmkpYHLrxO8Bed4+5IwRtziKqgz5"
    "rCRQjeb4i13jgQggbcmMex5xTYZAKwyjYD4KjMzdpWVqSEpLbWVO2pYXHAWO6zseP5XP28d2uxMrUwiwufUjKwefRI"
    "2UEfFBNw16cdH7lUCLFe+lZrCryZ6ud//8smQAYrifZ3ntdb17eStDoip1xeiEuZKACV2jflqkPdasP5SWBsPe3k08"
    "YNg7xlGvZdEDU16xKS9e1+rV8SgQB5QhBANCMLpn+jAMwQB7UiV7kmF5jsyS2QDAPTeJ6veYTtns7jz1aYmf+ym0Ap"
    "1ojHf5RoPNoRh0JWTx2MA0qGLPu/MIEtg+EcYVSYvwiAb+Ou/NUEg7T0Qa1sZ0NlfVcodotFTGMjWn1R3vwWGz6A5G"
    "c9Eb9fIGvF0/bAuLXSLDGxjq+mWoiz4I65EsTXiUjFiLfNU+1LhdkYOBhisvZwcDHU++S7jDRedQCcIoI5mRSSIpAw"
    "aJxg0SNsMPvjWhWGOmKx6UtBSEHdXHHzi/Y+T8IMHvMY46cGbAmXWBftjMme2HcrjHkxMNySAvD8orgE4qewQvKLOR"
    "9LOVWXKpSwMWFo6RtXy4ysTgoWSSYzTGTO/fu0VP2sKf2YTUqmIFVP3sxqozKNHZoe7L3uu+lGjpfar7ktbPz1++rK"
    "Cgi1aFGrq6l/WedamGwC8GeCXQIgvyhsj/b4cFqUKCFHMgOQoESulAKR3QuUDThlGHUjrdWnShlA6U0kkr41disZl4"
    "M6J+gk4tTzQYbFDQLbxqW1lXF2JhXRupUutU8HwDrWYdFzYWzXMKdcrILt9TjAQY1fuloMPJ7xjPANHHbPDRrSVgx8"
    "9lpFyVOq+O5koE4Cw/QMUb1JYHp/uom8OEdOOBKTGhNnv6+lhDE9ZAdNJrQCcdPHi+C7hPZz/nDlCa2xsOnWK6jFXr"
    "6HMVQDueY5RARgmGdp2sOUdsRVwmdZH+niubD6czEnqIct2BddvuKhmOwh8rXQHBetSNpb/scLoerdwIFJPuKSEwbV"
    "QzbYifbpaMYiXQC4Tb5tsTKBvP7FiqRZuSL6ZBOxal5v1qA8d6crgzclzHN1pHcoJtujK7C7zkhwr5E3YdO+TuGJmQ"
    "bybrik4WLHrmKwzYUveXXehr4DCiOTWWVktIikG5BINyCdFrW2LlCDTbaYmjflYQfPXBVx94ZPAggFEHD4LuEODgQd"
    "BDD4IEUxtGVJSzuauoi035A3LEbmU2Nyy3uJhSHnOsU/xEEA55WR1hW0FCy8mmQ1GAiO3IEjQALwHY5yEmb5eeAqG4"
    "GaBJGQAUghzbTwz2EM/LLVHNWKd7im3ye+3oifNvivAqP3H+LSbFTJwIFJNm4MLKH7/jSAmFdb5VLz+KP9QO7U0Qow"
    "s0I9jjyvQfjane23WLvkodY+GQ2qXFv+yQakwAA/ELxC+oBkD8wqhXHHXQX8B1vGtwgut4m67joAuaQNtVXfB3MppS"
    "+niiUQHjW4PNtoZF2LSqvqfcuGXcIMI+Wkyd8RRhj0qFC/El98kM+cR1eZxFWPl3+1MxDD8qhY0TcVj0Zb1P4o3Zci"
    "4mi0YR3NFDtkhIDJVDe6tw7tHHrqMrYmtOdsSTQJj62CWkWnSxiz+Ig/WwC1dFkym+lgAP0hp5vMRRCvsBI9aUYFtX"
    "M6Ikp5dGtg9j0EZ6L2CyjpDTACbrGEcdCstBybPOAQqeDZtAhZJnHS15tlce6ze8dCnW+tBmWgwqs1rWPBQxKb+FXT"
    "fKX4CiXhAjY+I86aiqShJb8E7x7wj/FfcKNFT/aKj5enJX9XxIiIDvQ33fh1DFNirZlBAB5Osjz2nAxsRy5kasVFKo"
    "D6RI28SUXC/lUUCfuKIY+KwcYF8nrHy9g+d32k1ERUYamIqDYSpAs26YqkgfjKtCmpYCUIGuaJ+uWKx9M7bENeHl0V"
    "Nk099rl5xvPj06rnui4SrCG4MyimKG2SPx5y4Wx1gum1d3vhHnL7aUoRHSzyUZHf0dR2OhWrp0EhCtR011yWq1u8JT"
    "eMBciKroyEo+KGEXoIIXZO06AuTFQkYmlBlVlk/KAOY1VFpH559djHfcHrCu4VOkdl1ztgzw3gZvdcrJYV7ivZWS6s"
    "UWmnHcOjs7q+K5JZoVu26pm2m4Z8TH8ghjQsUnZbbi4relwkaB4/qOx0/lY/dxPITAUKArwZ0ORh0yAnZHJy9hVyEj"
    "YA8zAir27zfR1UkRNahuDsroQUUJWnPRrnISFkbE3HN8ocWGjkghq4gwI+IWttEDozNdwpXKcsAJAicInCBwggeIPO"
    "jwrerwIybOKVMTqNcSLdZmmQlYdrVctxDlBkwJMCWgM3dAZwam5BhHHZgSYEqAKdmKKbl5IurVcyxJeGNQxpAQ2aR6"
    "hVtxHzmecnyaY+4jn3iypRfMRoQRGy0cMU0CGb41pa5oQ1imcK1no/FUQC3ajpZoivlUW/p2F8/54n3xbu2Qkpm74l"
    "6YHZevOnsIpz96JEs+QJyGRI58B5dOkGjhOk+yubzq+HHipJG4cYqG8jg4lImSRPsv3hh71HPG2EXyfINkvciwtwXm"
    "6m2ILWTEr6TMkoMWSYoGMleveH8ZYSh+UuxlFuZqktl7xU/lytNMikkpl9JHYn/xgrnARwwnQ1z0Kn73VCAlHiKuyI"
    "1oiDhe8igFVDixVM/yZdCYylbV6KnoA+Dka46aKoy9U40H9aPs5IaR6DqRoa3hnpORnQ13rcEQUmH1lhGEY81OYxbk"
    "t5mD9NqZ3HqFCZi+aoB0KkWpdw1C8b7iP8/enJ+/ePHq/OzF5euXF69evXx99lq0VW+cv/WqBPfr219kjqvUOT+f9C"
    "raR/Kwf5ph1y0EPiHWHvjPd4v8i/NXlyus5T/K0P3069X793k4H8X7m1B7cfse8qdvqhRcflNccPlNruByeLAyhTgt"
    "1UOgm69sHUJmmDYoIQNpg3R4mpoT01Jg2aph2QqY0Dk1oJeYtdYisFRUWCr2GLd7OJP7EFLl9xJNyH/XsIIWjP6PjE"
    "0RTUsBpllLNedizpmcDBIicCyo4Wqk9Qso8THS+wTs0vvijz/3YUrcTUIX8bO5fskoPoalpfowyXPORdV8i8pci7Jn"
    "sTkjT5Zk/k2QTgn18Mh7eVEB6MuLQpzlrUw6NEOEAVwDcMFJ6FjcRXL+DPsxs/+VzP0rjy+UUTRna0/cHZQZ3B9FOw"
    "urhhXN7vdTgkIB5FOZGJU5PgmNxWNpA5bma2kzHt7aZDanPvHGy2d/JcvhAMmHSbO2kLLxMm9pb7Zrrek4yfY9kmW5"
    "zRgMor01iO6RKe7aztiMNig/JoOzRdS8h0eLnXiFx2qF6REuK9dDvJs/ynEf+4Ema3CxNX8lUMum3DWFL7Qqnz+/eH"
    "Xx+sXlxcq0vLpSZl/Om5bx6hhS2YC0kuiDAt16qiTQREATaVMT+YlIT1S2PNHoIat7pVqIHbZySGXX34hJRmKGOD5H"
    "C7x8i4YL7PhiUIU6MOTEs+WfKBDTTGoFLsGyJ3nDFw2EpjB8wI5L7KFSGyaU6uqV7u45hqUj5BajPrfYH8QWwlvqJW"
    "XOpvHjGlKBdujXCtpV97SrVv0hO7bd78cdEvz3dqgQgK8I+Ip0F82iIrTF+tWWpWe79vm3rWDJ8CkTuOP2AHZjPg/F"
    "uRAgD0KMT/lQ1CnqFCsFlX1SY4EWHVAi3WxXmO/cg933yWzum7CPSZH2YlrOdnt8box9jPTk/FFjExO2FgQWrNMsWH"
    "K0FftiWyMjW1RKqA+M8671oQiwwPMdTeqtjV9WVryB76tjA3B43w3mvkUYo0Z6RFqqD19O64E+kgettT0lJOH72fv3"
    "Aza3Yxx1iNJplsnqTJaK3qCbsxB3JfdWNxFuLvVWbploAOKruJ9+YptcGbuUz+yKMGc8PdE4N0R3BmWuDXjdZpNbQz"
    "Gim50FjKzghVSSduHUkEjR8G1n/e68C1uxfbsw+UwxyVCceOYw7QAtOL3Kj8oA4ah5D9F9Xino7nlJ0N3zfNCdPNxr"
    "96Vi20pCpH3zyn7OV40ZUvbqq/fn/wOcmU7+"
)
