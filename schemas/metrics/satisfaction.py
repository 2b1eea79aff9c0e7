"""Satisfaction: CSAT and NPS, always with their n, scores normalised by the scale stated in the answer."""

from schemas.metrics.metric import Metric, Subject, Unit

_C = Subject.CUSTOMER
_SCALE = "each score moved to 1 to 5 by its own scale: 1 + 4 x (score - scale_min) / (scale_max - scale_min)"
WINDOWS = (90, 365)

METRICS = (
    Metric("satisfaction.csat.n", Unit.COUNT, _C, "满意度样本数", "CSAT answers", "Number of CSAT answers", "S0 4.1", WINDOWS),
    Metric("satisfaction.csat.mean", Unit.SCORE, _C, "满意度均值", "CSAT mean", f"Mean of CSAT answers, {_SCALE}; none without answers", "S0 4.1", WINDOWS),
    Metric(
        "satisfaction.csat.dimension",
        Unit.SCORE,
        _C,
        "分维度满意度",
        "CSAT by dimension",
        f"Mean of CSAT answers by dimension (overall where none is stated), {_SCALE}",
        "S3 1.1.21",
        (365,),
        "dimension",
    ),
    Metric("satisfaction.nps.n", Unit.COUNT, _C, "净推荐样本数", "NPS answers", "Number of NPS answers", "S0 5.1", WINDOWS),
    Metric(
        "satisfaction.nps",
        Unit.SCORE,
        _C,
        "净推荐值",
        "NPS",
        "100 x (answers of 9 and 10 - answers of 0 to 6) / answers; none without answers",
        "S0 5.1",
        WINDOWS,
    ),
)
