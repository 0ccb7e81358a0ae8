using Polymath.Tensors;
using Xunit;

namespace Polymath.Tests.Tensors;

public sealed class CpuTests
{
    [Fact]
    public void Without_a_wish_the_choice_is_something_the_chip_has()
    {
        (InstructionSet set, string? problem) = Cpu.Choose(null);
        Assert.Null(problem);
        Assert.True(Cpu.Has(set));
        Assert.Equal(Cpu.Choose(null), Cpu.Choose("  "));
    }

    [Fact]
    public void A_wish_is_granted_or_refused_but_never_ignored()
    {
        foreach (InstructionSet set in Enum.GetValues<InstructionSet>())
        {
            (InstructionSet chosen, string? problem) = Cpu.Choose(set.ToString().ToLowerInvariant());
            Assert.Equal(set, chosen);
            Assert.Equal(Cpu.Has(set), problem is null);
        }

        Assert.Contains("POLYMATH_ISA=sse9", Cpu.Choose("sse9").Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_description_names_the_variant_in_use() =>
        Assert.Contains($"using {Cpu.InstructionSet.ToString().ToLowerInvariant()}", Cpu.Describe(), StringComparison.Ordinal);
}
