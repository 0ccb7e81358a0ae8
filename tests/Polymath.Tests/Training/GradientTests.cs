using Polymath.Generation;
using Polymath.Models;
using Polymath.Tensors;
using Polymath.Training;
using Xunit;

namespace Polymath.Tests.Training;

public sealed class GradientTests
{
    private static readonly ModelSettings Tiny = new()
    {
        Architecture = "llama",
        Layers = 2,
        Width = 12,
        Heads = 4,
        KeyValueHeads = 2,
        HeadSize = 4,
        RopeSize = 4,
        FeedForward = 20,
        Vocabulary = 23,
        ContextLength = 9,
    };

    public static TheoryData<bool, string> EveryParameter()
    {
        var data = new TheoryData<bool, string>();
        foreach (bool tied in new[] { true, false })
        {
            foreach (Parameter p in new TrainingWeights(Tiny, tied).Parameters)
                data.Add(tied, p.Name);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(EveryParameter))]
    public void Every_parameter_has_the_gradient_of_finite_differences(bool tied, string name)
    {
        using var team = new ThreadTeam(2);
        const int batch = 3, length = 7;
        using var model = new TrainingModel(team, Tiny, tied, batch, Tiny.ContextLength);
        Randomize(model.Weights);
        (int[] ids, int[] targets) = Sample(batch * length, 5);
        model.Learn(ids, targets, batch);
        Span<float> values = model.Weights.View(name).AsFloats(), gradients = model.Gradients.View(name).AsFloats();

        double worst = 0, largest = 0;
        for (int i = 0; i < values.Length; i++)
        {
            float was = values[i];
            const float step = 1f / 128;
            double near = Loss(values, i, was + step) - Loss(values, i, was - step);
            double far = Loss(values, i, was + (2 * step)) - Loss(values, i, was - (2 * step));
            values[i] = was;
            double expected = ((8 * near) - far) / (12 * step);   // error of fourth order
            worst = Math.Max(worst, Math.Abs(expected - gradients[i]));
            largest = Math.Max(largest, Math.Abs(expected));
        }

        Assert.True(largest > 1e-3, $"the test sees no gradient of {name}: {largest}");
        Assert.True(worst < 1e-3 * Math.Max(largest, 0.05), $"{name}: off by {worst}, largest {largest}");

        double Loss(Span<float> of, int index, float value)
        {
            of[index] = value;
            return model.Evaluate(ids, targets, batch);
        }
    }

    [Fact]
    public void Gradients_of_batches_add_up()
    {
        using var team = new ThreadTeam(1);
        using var model = new TrainingModel(team, Tiny, true, 2, 8);
        Randomize(model.Weights);
        (int[] a, int[] b) = Sample(8, 1);
        model.Learn(a, b, 1);
        float[] once = model.Gradients.Flat.AsFloats().ToArray();
        model.Learn(a, b, 1);
        float[] twice = model.Gradients.Flat.AsFloats().ToArray();
        for (int i = 0; i < once.Length; i++)
            Assert.Equal(2 * once[i], twice[i], 1e-5f);
    }

    [Fact]
    public void A_token_does_not_see_those_after_it()
    {
        using var team = new ThreadTeam(2);
        using var model = new TrainingModel(team, Tiny, false, 1, 9);
        Randomize(model.Weights);
        int[] targets = [1, 4, 1, 5, 9];
        double five = 5 * model.Evaluate([3, 1, 4, 1, 5], targets, 1);
        double sixth = model.Evaluate([2], [6], 1);
        double six = 6 * model.Evaluate([3, 1, 4, 1, 5, 2], [.. targets, 6], 1), other = 6 * model.Evaluate([3, 1, 4, 1, 5, 8], [.. targets, 6], 1);
        Assert.NotEqual(six, other);
        Assert.NotEqual(sixth, six - five, 1e-3);   // the sixth does see those before it

        // With the last target ignored, only the first five positions count: another last id must not change a bit.
        Assert.Equal(model.Evaluate([3, 1, 4, 1, 5, 2], [.. targets, -1], 1), model.Evaluate([3, 1, 4, 1, 5, 8], [.. targets, -1], 1));
        Assert.Equal(five, 6 * model.Evaluate([3, 1, 4, 1, 5, 8], [.. targets, -1], 1), 1e-5);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_batch_is_learned_by_heart(bool tied)
    {
        using var team = new ThreadTeam(2);
        using var model = new TrainingModel(team, Tiny, tied, 2, 9);
        model.Weights.Initialize(7);
        TrainingWeights w = model.Weights;
        Tensor m = Tensor.Zeros(1, w.Flat.Columns), v = Tensor.Zeros(1, w.Flat.Columns);
        (int[] ids, int[] targets) = Sample(18, 3);
        for (int i = 0; i < 18; i++)
            ids[i] = i;
        double loss = 0;
        for (int step = 1; step <= 300; step++)
        {
            model.ClearGradients();
            loss = model.Learn(ids, targets, 2);
            AdamW.Step(team, w.Flat, model.Gradients.Flat, m, v, 0.01f, 0.9f, 0.95f, 1e-8f, 0, step);
        }

        Assert.True(loss < 0.01, $"loss {loss}");
    }

    [Fact]
    public void Threads_do_not_change_a_bit()
    {
        float[]? expected = null;
        ModelSettings settings = Tiny with { Width = 64, HeadSize = 16, RopeSize = 16, FeedForward = 96, Vocabulary = 300, ContextLength = 40 };
        foreach (int threads in new[] { 1, 2, 3 })
        {
            using var team = new ThreadTeam(threads);
            using var model = new TrainingModel(team, settings, true, 4, 40);
            model.Weights.Initialize(11);
            var random = new RandomSource(2);
            int[] ids = new int[160], targets = new int[160];
            for (int i = 0; i < ids.Length; i++)
                (ids[i], targets[i]) = (random.NextInt32(300), random.NextInt32(300));
            model.Learn(ids, targets, 4);
            float[] gradients = model.Gradients.Flat.AsFloats().ToArray();
            expected ??= gradients;
            Assert.Equal(expected, gradients);
        }
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        using var team = new ThreadTeam(1);
        using var model = new TrainingModel(team, Tiny, true, 2, 9);
        model.Weights.Initialize(1);
        (int[] ids, int[] targets) = Sample(18, 4);
        void Work()
        {
            model.ClearGradients();
            model.Learn(ids, targets, 2);
        }

        Assert.Equal(0, Allocations.Of(Work));
    }

    private static void Randomize(TrainingWeights weights)
    {
        weights.Initialize(42);
        var random = new RandomSource(9);
        foreach (ref float value in weights.Flat.AsFloats())
            value += (float)(0.2 * random.NextNormal());   // far from zero, where small terms would hide
    }

    private static (int[] Ids, int[] Targets) Sample(int count, ulong seed)
    {
        var random = new RandomSource(seed);
        int[] ids = new int[count], targets = new int[count];
        for (int i = 0; i < count; i++)
            (ids[i], targets[i]) = (random.NextInt32(Tiny.Vocabulary), random.NextInt32(Tiny.Vocabulary));
        return (ids, targets);
    }
}
