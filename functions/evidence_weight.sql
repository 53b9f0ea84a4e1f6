-- log2(m / u). Where values have frequencies, the greater takes the place of u, as far
-- as `tf_weight` says; the rarest are not believed below `tf_minimum`.
select
    (
        ln(m_probability / u_probability)
        + case
            when coalesce(tf_one, tf_other) is null or coalesce(tf_weight, 0) = 0 then 0
            else
                tf_weight
                * ln(tf_u_probability / greatest(tf_one, tf_other, tf_minimum))
        end
    ) / ln(2::double precision)
