namespace Polymath.Files.HuggingFace.Families;

/// <summary>The settings of a mixture of experts.</summary>
internal static class Experts
{
    private const int Most = 1 << 14;

    /// <summary>Sets how many experts there are and how many of them see a token; returns the first.</summary>
    public static int Write(Translation model, string field)
    {
        int count = model.Config.Int32(field, 1, Most);
        model.Set("expert_count", count);
        model.Set("expert_used_count", model.Config.Int32("num_experts_per_tok", 1, count));
        return count;
    }

    /// <summary>Refuses a mixture whose weights are not made to sum to one, or that not every layer has.</summary>
    public static void RequireEverywhereAndNormalised(Translation model)
    {
        if (!model.Config.Bool("norm_topk_prob"))
            throw model.Config.Bad("norm_topk_prob", "only true is supported");
        if (model.Config.Int32("decoder_sparse_step", 1, int.MaxValue, 1) != 1 || model.Config.Count("mlp_only_layers") != 0)
            throw model.Config.Bad("mlp_only_layers", "only experts in every layer are supported");
    }
}
