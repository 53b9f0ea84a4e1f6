-- log2(m / u). Where values have frequencies, the value's own takes the place of u, as
-- far as `tf_weight` says; the rarest are not believed below `tf_minimum`.
select
    (
        ln(m_probability / u_probability)
        + coalesce(
            tf_weight * ln(tf_u_probability / greatest(frequency, tf_minimum)), 0
        )
    ) / ln(2::double precision)
